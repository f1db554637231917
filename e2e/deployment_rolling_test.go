package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/e2e/outside"
)

// rolling updates everything that keeps nothing while users go on asking: no
// request fails, and no store is restarted, though the new version migrates the
// database. The same change by plain Docker Compose is measured beside it.
func (d *deployment) rolling(t *testing.T) {
	quiet := d.underLoad(t, "no update", func() { time.Sleep(20 * time.Second) })
	require.Empty(t, quiet.Failed, "requests fail without an update")

	started := d.starts(t)
	release := maps.Clone(d.Settings["construct:release"].(map[string]any))
	delete(release, "overrides")
	former := d.Settings.With("construct:release", maps.Clone(release)) // every service on 0.7.0
	release["tag"] = "0.8.0"
	require.NoError(t, d.Configure(t.Context(), d.Settings.With("construct:release", release)))
	report := d.underLoad(t, "a new version of every service", func() { up(t, d.Lab) })
	assert.Empty(t, head(report.Failed), "requests failed during an update of every service")
	for _, service := range []string{"auth-service", "user-service", "notification-service", "messaging-service"} {
		assert.Positive(t, report.Versions[service+" 0.8.0"], "%s: %v", service, report.Versions)
	}
	assert.Equal(t, "0.8.0", d.version(t, "/api/v1/users/profile"))
	d.sameStores(t, started)
	d.schema(t, former)
	d.delivers(t, d.accept(t, "erin"))

	if d.soak {
		require.NoError(t, d.Configure(t.Context(), d.Settings.With("construct:rateLimit", map[string]any{
			"requestsPerMinute": 60_001, "uploadsPerMinute": 30,
		})))
		report = d.underLoad(t, "new rate limits", func() { up(t, d.Lab) })
		assert.Empty(t, head(report.Failed), "requests failed when the rate limits changed")
		require.NoError(t, d.Configure(t.Context(), d.Settings.With("construct:rebootWindow", "Mon 03:00")))
		report = d.underLoad(t, "another reboot window, so set-up of every host", func() { up(t, d.Lab) })
		assert.Empty(t, head(report.Failed), "requests failed when the hosts were set up anew")
		d.sameStores(t, started)
	}
	d.edge(t)
	d.engines(t)
	if d.soak {
		d.minor(t)
		d.underLoad(t, "one service by plain docker compose up", func() { d.plainly(t, "user-service") })
	}
}

// edge replaces what has the hosts' ports itself: Caddy, and in the soak HAProxy,
// on every host that has one.
func (d *deployment) edge(t *testing.T) {
	started := d.starts(t)
	images, what := map[string]any{"caddy": "ghcr.io/construct-server/caddy:2.11.10"}, "another Caddy"
	if d.soak {
		images["haproxy"], what = "docker.io/library/haproxy:2.8.15-bookworm", "another Caddy, and another HAProxy on every host"
	}
	require.NoError(t, d.Configure(t.Context(), d.Settings.With("construct:images", images)))
	report := d.underLoad(t, what, func() { up(t, d.Lab) })
	assert.Empty(t, head(report.Failed), "requests failed when the edge was replaced")
	for name, at := range d.starts(t) {
		_, image, _ := strings.Cut(name, "/construct-")
		if image, _, _ = strings.Cut(image, "-"); images[image] != nil {
			assert.NotEqual(t, started[name], at, "%s was not replaced", name)
			continue
		}
		assert.Equal(t, started[name], at, "%s was restarted", name)
	}
	for role := range d.servers {
		assert.Empty(t, d.on(t, role, "sudo nft list tables | grep standin || true"), "connections are still led away on %s", role)
	}
}

// engines restarts Docker on every host, as a change of its settings does: what
// runs goes on, and no request fails behind the gateway. Whoever connects to the
// gateway itself meanwhile waits, and is answered.
func (d *deployment) engines(t *testing.T) {
	started := d.starts(t)
	what, restart := "the engines behind the gateway restarted", "sudo systemctl restart docker.service"
	if d.soak {
		// As an upgrade that takes its time: HAProxy asks the engine where services are.
		what = "the engines behind the gateway away for 40 s, one after the other"
		restart = "sudo systemctl stop docker.socket docker.service; sleep 40; sudo systemctl start docker.socket docker.service"
	}
	report := d.underLoad(t, what, func() {
		for role := range d.servers {
			if role != "gateway" {
				d.on(t, role, restart)
			}
		}
	})
	assert.Empty(t, head(report.Failed), "requests failed when the engines restarted")
	report = d.underLoad(t, "the gateway's engine restarted", func() { d.on(t, "gateway", "sudo systemctl restart docker.service") })
	assert.Empty(t, head(report.Failed), "requests failed when the gateway's engine restarted")
	assert.Equal(t, started, d.starts(t), "a container was restarted")
}

// minor updates PostgreSQL, of which there can be only one: how long it is away
// is bounded, measured, and remembered by its host.
func (d *deployment) minor(t *testing.T) {
	const limit = 30 * time.Second
	started := d.starts(t)
	require.NoError(t, d.Configure(t.Context(), d.Settings.With("construct:images", map[string]any{
		"caddy": "ghcr.io/construct-server/caddy:2.11.10", "haproxy": "docker.io/library/haproxy:2.8.15-bookworm",
		"postgres": "docker.io/library/postgres:16.9-bookworm",
	})))
	assert.Contains(t, preview(t, d.Lab), "postgres:16.9-bookworm")
	report := d.underLoad(t, "the next minor version of PostgreSQL", func() {
		up(t, d.Lab)
		time.Sleep(10 * time.Second) // what still fails then is seen
	})
	said := d.on(t, "db", "sudo construct-release status")
	remembered := regexp.MustCompile(`(?m)^interruption postgres (\d+) \S+Z$`).FindStringSubmatch(said)
	require.NotNil(t, remembered, said)
	measured(t, "%s, PostgreSQL's minor update: requests failed for %d ms; its host says %s s", d.cloud, report.Outage.Milliseconds(), remembered[1])
	assert.Less(t, report.Outage, limit, head(report.Failed))
	for name, at := range d.starts(t) {
		if !strings.Contains(name, "postgres-1") && !strings.Contains(name, "exporter") {
			assert.Equal(t, started[name], at, "%s was restarted", name)
		}
	}
	d.row(t)

	updated := d.Settings
	require.NoError(t, d.Configure(t.Context(), d.Settings.With("construct:images", map[string]any{})))
	said, code := construct(t, d.Lab, "preview")
	assert.Zero(t, code)
	assert.Regexp(t, `db-1: postgres restarts: \S+:16\.9-bookworm → \S+\n +the last time, \S+Z, all was healthy again within `+remembered[1]+` s\n`, said)
	require.NoError(t, d.Configure(t.Context(), updated))
}

// underLoad has users ask while something is done, and tells how they fared.
func (d *deployment) underLoad(t *testing.T, what string, do func()) outside.LoadReport {
	t.Helper()
	return d.underLoadOf(t, what, append(withoutMediaAsked(), outside.LoadRequest{Method: http.MethodGet, Path: "/api/v1/media/token"}), do)
}

// withoutMediaAsked are requests to every service that is there without media.
func withoutMediaAsked() []outside.LoadRequest {
	return []outside.LoadRequest{
		{Method: http.MethodGet, Path: "/api/v1/users/profile"},
		// What there is of the auth service is slowed down, or changes something.
		{Method: http.MethodGet, Path: "/api/v1/auth/sessions", Status: http.StatusNotFound},
		{Method: http.MethodPut, Path: "/api/v1/notifications/preferences", Body: map[string]bool{"enabled": true}},
		{Method: http.MethodGet, Path: "/health"},
		{Method: http.MethodGet, Path: "/api/v1/account"},
	}
}

func (d *deployment) underLoadOf(t *testing.T, what string, requests []outside.LoadRequest, do func()) outside.LoadReport {
	t.Helper()
	// A user of its own: polls of others, or of an earlier load, would count
	// against its limit of them.
	d.loads++
	user, err := d.client.Register(t.Context(), fmt.Sprintf("load-%d", d.loads))
	require.NoError(t, err)
	perSecond := 50 // five hosts and who asks them share two processors
	if d.soak {
		perSecond = 100
	}
	stop := user.Load(t.Context(), outside.LoadOptions{Requests: requests, PerSecond: perSecond, Fresh: 10, Polls: 50})
	start := time.Now()
	do()
	took := time.Since(start)
	report := stop()
	measured(t, "%s, %s: %.0f s, %s", d.cloud, what, took.Seconds(), report)
	if len(report.Failed) > 0 {
		d.explain(t, start, report)
	}
	return report
}

// explain logs what the edge and HAProxy said while requests failed.
func (d *deployment) explain(t *testing.T, since time.Time, report outside.LoadReport) {
	t.Helper()
	t.Logf("requests failed within %.1f s, from %s to %s", report.Outage.Seconds(), report.Failed[0], report.Failed[len(report.Failed)-1])
	at := since.UTC().Format(time.RFC3339)
	for role := range d.servers {
		t.Logf("%s: %s", role, d.on(t, role, "for c in $(sudo docker ps --all --filter name=haproxy --filter name=construct-gateway- --format '{{.Names}}'); do echo \"$c:\"; "+
			"sudo docker logs --timestamps --since "+at+" $c 2>&1 | grep -vE 'GET|PUT|POST' | cut -c1-300 | tail -n 60; done"))
	}
}

// head is enough of a list to understand it.
func head(lines []string) []string { return lines[:min(len(lines), 10)] }

// sameStores checks that nothing that keeps data was restarted.
func (d *deployment) sameStores(t *testing.T, started map[string]string) {
	t.Helper()
	now := d.starts(t)
	for name, at := range started {
		for _, store := range []string{"postgres-1", "redis-primary", "redis-replica", "redpanda"} {
			if strings.Contains(name, store) {
				assert.Equal(t, at, now[name], "%s was restarted", name)
			}
		}
	}
}

// plainly makes a service's container anew as Docker Compose does by itself.
func (d *deployment) plainly(t *testing.T, service string) {
	t.Helper()
	d.on(t, "app", "sudo sh -c 'cd /var/lib/construct/current && docker compose --project-name construct --env-file /etc/construct/host.env "+
		"up --detach --no-deps --force-recreate "+service+"'")
}
