package program

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/construct-server/infra/cloud"
	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/config/configtest"
	"github.com/construct-server/infra/stacks"
)

// rotation is a new value of one secret, and what one up does with it: which
// services get a new container, and which running ones are told to reload.
type rotation struct {
	change           func(*config.Config)
	renewed, reloads string // role/service, sorted
}

const another = "another-value-of-the-secret-0000"

// consumers are the services that share a configuration (facts 1b).
const consumers = "app/auth-previous app/auth-service app/notification-service app/user-service gateway/gateway gateway/gateway-previous message/delivery-worker message/messaging-service"

// rotations has every secret. No store is ever in renewed.
func rotations() map[string]rotation {
	text := func(field func(*config.Config) *string) func(*config.Config) {
		return func(c *config.Config) { *field(c) += another }
	}
	secret := func(field func(*config.Secrets) *string) func(*config.Config) {
		return func(c *config.Config) { *field(&c.Secrets) = another }
	}
	const (
		signers   = "app/auth-previous app/auth-service"
		verifiers = "app/auth-service app/notification-service app/user-service gateway/gateway message/messaging-service"
		pooled    = "app/auth-previous app/auth-service app/notification-service app/user-service message/messaging-service"
		alerts    = "media/alertmanager"
		receivers = "monitoring.receivers."
	)
	return map[string]rotation{
		// Never on a host: the operator's, and logins that a pull has in memory.
		"ssh.privateKey":        {text(func(c *config.Config) *string { return &c.SSH.PrivateKey }), "", ""},
		"registries[].password": {text(func(c *config.Config) *string { return &c.Registries[0].Password }), "", ""},

		"secrets.postgresPassword":         {secret(func(s *config.Secrets) *string { return &s.PostgresPassword }), pooled, "db/postgres"},
		"secrets.postgresExporterPassword": {secret(func(s *config.Secrets) *string { return &s.PostgresExporterPassword }), "db/postgres-exporter", "db/postgres"},
		"secrets.redisPassword":            {secret(func(s *config.Secrets) *string { return &s.RedisPassword }), consumers, "db/redis-primary message/redis-replica"},
		"secrets.redisReplicaPassword":     {secret(func(s *config.Secrets) *string { return &s.RedisReplicaPassword }), "", "db/redis-primary message/redis-replica"},
		"secrets.redisMonitorPassword": {secret(func(s *config.Secrets) *string { return &s.RedisMonitorPassword }),
			"db/redis-exporter message/redis-exporter", "db/redis-primary message/redis-replica"},
		"secrets.jwtPrivateKey":        {secret(func(s *config.Secrets) *string { return &s.JWTPrivateKey }), signers, ""},
		"secrets.jwtPublicKey":         {secret(func(s *config.Secrets) *string { return &s.JWTPublicKey }), verifiers, ""},
		"secrets.jwtPreviousPublicKey": {secret(func(s *config.Secrets) *string { return &s.JWTPreviousPublicKey }), "app/auth-previous gateway/gateway-previous", ""},
		"secrets.csrfSecret":           {secret(func(s *config.Secrets) *string { return &s.CSRFSecret }), consumers, ""},
		"secrets.apnsTokenKey":         {secret(func(s *config.Secrets) *string { return &s.APNsTokenKey }), consumers, ""},
		"secrets.logHashSalt":          {secret(func(s *config.Secrets) *string { return &s.LogHashSalt }), consumers, ""},
		"secrets.mediaUploadSecret":    {secret(func(s *config.Secrets) *string { return &s.MediaUploadSecret }), "media/media-service message/messaging-service", ""},
		"secrets.grafanaPassword":      {secret(func(s *config.Secrets) *string { return &s.GrafanaPassword }), "media/grafana", ""},

		"kafka.password":        {text(func(c *config.Config) *string { return &c.Kafka.Password }), "message/delivery-worker message/messaging-service", ""},
		"vault.token":           {text(func(c *config.Config) *string { return &c.Vault.Token }), "app/auth-previous app/auth-service app/notification-service message/messaging-service", ""},
		"apns.key":              {text(func(c *config.Config) *string { return &c.APNs.Key }), "app/notification-service message/messaging-service", ""},
		"federation.signingKey": {text(func(c *config.Config) *string { return &c.Federation.SigningKey }), consumers, ""},

		receivers + "webhookUrl":        {text(func(c *config.Config) *string { return &c.Monitoring.Receivers.WebhookURL }), alerts, ""},
		receivers + "heartbeatUrl":      {text(func(c *config.Config) *string { return &c.Monitoring.Receivers.HeartbeatURL }), alerts, ""},
		receivers + "email.password":    {text(func(c *config.Config) *string { return &c.Monitoring.Receivers.Email.Password }), alerts, ""},
		receivers + "slack.webhookUrl":  {text(func(c *config.Config) *string { return &c.Monitoring.Receivers.Slack.WebhookURL }), alerts, ""},
		receivers + "telegram.botToken": {text(func(c *config.Config) *string { return &c.Monitoring.Receivers.Telegram.BotToken }), alerts, ""},

		// No service has it while there is an internal seed (docs/operations.md).
		"secrets.previousHostKeySeed": {secret(func(s *config.Secrets) *string { return &s.PreviousHostKeySeed }), "", ""},
		// Everything follows from one of the two: not in one up without a gap.
		"secrets.hostKeySeed":  {secret(func(s *config.Secrets) *string { return &s.HostKeySeed }), "", ""},
		"secrets.internalSeed": {secret(func(s *config.Secrets) *string { return &s.InternalSeed }), "", ""},
	}
}

// One up after a change of one secret renews and reloads the services that have
// it and no other, and no container of a store.
func TestEverySecretRotates(t *testing.T) {
	t.Parallel()
	all := rotations()
	for _, path := range config.SecretPaths() {
		assert.Contains(t, all, path, "a secret without a rotation")
	}
	assert.Len(t, all, len(config.SecretPaths()))
	before := renderedAll(t, func(*config.Config) {})
	for path, r := range all {
		if path == "secrets.hostKeySeed" || path == "secrets.internalSeed" {
			continue
		}
		after := renderedAll(t, r.change)
		assert.Len(t, after, len(before), path)
		var renewed, reloaded []string
		for name, now := range after {
			switch was := before[name]; {
			case !reflect.DeepEqual(was.container, now.container):
				renewed = append(renewed, name)
				assert.False(t, now.stateful && strings.HasPrefix(name, "db/") || strings.Contains(name, "redis-replica"), "%s renews the store %s", path, name)
			case was.digest != now.digest:
				reloaded = append(reloaded, name)
				assert.NotEqual(t, was.reload, now.reload, "%s: %s is told nothing", path, name)
			default:
				assert.Equal(t, was.reload, now.reload, "%s: %s reloads and nobody is shown it", path, name)
			}
		}
		slices.Sort(renewed)
		slices.Sort(reloaded)
		assert.Equal(t, r.renewed, strings.Join(renewed, " "), "%s: new containers", path)
		assert.Equal(t, r.reloads, strings.Join(reloaded, " "), "%s: reloads", path)
	}
}

// started is all that decides whether one up touches a service.
type started struct {
	container any // what Compose compares: its stanza and its environment
	digest    string
	reload    string // the manifest's line
	stateful  bool
}

func renderedAll(t *testing.T, change func(*config.Config)) map[string]started {
	t.Helper()
	tree, err := configtest.Everything()
	require.NoError(t, err)
	src, err := config.FromTree("construct", "prod", t.TempDir(), tree)
	require.NoError(t, err)
	cfg, err := config.Parse(src)
	require.NoError(t, err)
	change(cfg)
	d, err := deployment(cfg, cloud.Scope{Project: "construct", Stack: "prod"}, cloud.Catalogue{})
	require.NoError(t, err)
	for role := range d.Memory {
		d.Memory[role] = 4096
	}
	out := map[string]started{}
	for _, role := range stacks.Roles(d.Media) {
		b, err := stacks.Render(d, role)
		require.NoError(t, err)
		files := map[string][]byte{}
		for _, f := range b.Files {
			files[f.Path] = f.Content
		}
		var compose struct{ Services map[string]any }
		require.NoError(t, yaml.Unmarshal(files["compose.yaml"], &compose))
		for _, s := range b.Services {
			one := started{
				container: []any{compose.Services[s.Name], string(files["env/"+s.Name+".env"])},
				digest:    s.ConfigDigest, stateful: s.Stateful,
			}
			require.NotNil(t, compose.Services[s.Name], s.Name)
			for line := range bytes.Lines(files["manifest"]) {
				if bytes.HasPrefix(line, fmt.Appendf(nil, "reload %s ", s.Name)) {
					one.reload = string(line)
				}
			}
			out[string(role)+"/"+s.Name] = one
		}
	}
	return out
}
