package e2e

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/e2e/lab"
)

// secrets looks for every secret, present and former, in what runs and lies on
// the hosts. No command of the tests' own is handed one there.
func (d *deployment) secrets(t *testing.T) {
	began := time.Now()
	defer func() { measured(t, "%s: the hosts were searched in %.0f s", d.cloud, time.Since(began).Seconds()) }()
	on := func(role, command string) string { return d.on(t, role, command) }
	secrets := secretsOf(t, d.Lab)
	maps.Copy(secrets, d.former)
	// The rest of the URL is the simulator's address, which is in many logs.
	secrets["monitoring.receivers.webhookUrl"] = d.pager.token
	hostsKeepSecrets(t, on, slices.Sorted(maps.Keys(d.servers)), secrets)
}

// rotate changes the passwords of the stores' users: the stores take them
// without a restart, and the services use them.
func (d *deployment) rotate(t *testing.T) {
	fresh, err := config.GenerateSecrets()
	require.NoError(t, err)
	secrets := maps.Clone(d.Settings["construct:secrets"].(map[string]any))
	d.former = map[string]string{}
	for name, value := range map[string]string{
		"postgresPassword": fresh.PostgresPassword, "postgresExporterPassword": fresh.PostgresExporterPassword,
		"grafanaPassword": fresh.GrafanaPassword,
		"redisPassword":   fresh.RedisPassword, "redisReplicaPassword": fresh.RedisReplicaPassword, "redisMonitorPassword": fresh.RedisMonitorPassword,
	} {
		d.former["secrets."+name+" (former)"] = d.secret(name)
		secrets[name] = lab.Secret(value)
	}
	grafanas := d.secret("grafanaPassword")
	started := d.starts(t)
	require.NoError(t, d.Configure(t.Context(), d.Settings.With("construct:secrets", secrets)))
	report := d.underLoad(t, "changed passwords", func() { up(t, d.Lab) })
	assert.Empty(t, head(report.Failed), "requests failed when passwords changed")
	for name, at := range d.starts(t) {
		switch name {
		case "db/construct-postgres-1", "db/construct-redis-primary-1", "message/construct-redis-replica-1", "message/construct-redpanda-1":
			assert.Equal(t, started[name], at, "%s was restarted for a changed password", name)
		}
	}
	d.routes(t)
	d.row(t)
	d.replica(t)
	d.delivers(t, d.accept(t, "dave"))
	status, _ := d.askGrafana(t, grafanas, "/api/search")
	assert.Equal(t, "401", status, "Grafana takes the old password")
	d.grafana(t)
}
