package program_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
)

const (
	commandType = "command:remote:Command"
	dropletType = "digitalocean:index/droplet:Droplet"
	serverType  = "hcloud:index/server:Server"
)

func (r *run) servers() []pulumi.MockResourceArgs { return r.ofType(dropletType, serverType) }

func (r *run) volumes() []pulumi.MockResourceArgs {
	return r.ofType("digitalocean:index/volume:Volume", "hcloud:index/volume:Volume")
}

// eachCloud runs a test on both clouds.
func eachCloud(t *testing.T, changes map[string]any, test func(*testing.T, *run)) {
	t.Helper()
	for name, where := range clouds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for key, value := range changes {
				where = also(where, key, value)
			}
			test(t, mustPreview(t, where))
		})
	}
}

// An image, user data or key that changes must never replace a server; a
// server that is replaced must free its name and its volume first.
func TestServersAreNotReplacedForNothing(t *testing.T) {
	t.Parallel()
	eachCloud(t, nil, func(t *testing.T, r *run) {
		require.Len(t, r.servers(), 5)
		for _, s := range r.servers() {
			assert.ElementsMatch(t, []string{"image", "userData", "sshKeys"}, s.RegisterRPC.GetIgnoreChanges(), s.Name)
			assert.True(t, s.RegisterRPC.GetDeleteBeforeReplace(), s.Name)
		}
	})
}

// DigitalOcean's provider detaches volumes before it deletes a droplet: whatever
// uses them has ended by then.
func TestDropletsThatKeepDataAreShutDownFirst(t *testing.T) {
	t.Parallel()
	shutDown := map[string]bool{}
	for _, s := range mustPreview(t, onDigitalOcean()).servers() {
		shutDown[s.Name] = s.Inputs["gracefulShutdown"].BoolValue()
	}
	assert.Equal(t, map[string]bool{"gateway-1": false, "app-1": false, "db-1": true, "message-1": true, "media-1": true}, shutDown)
}

func TestProtect(t *testing.T) {
	t.Parallel()
	protected := func(r *run) (names []string) {
		for _, res := range append(r.servers(), r.volumes()...) {
			if res.RegisterRPC.GetProtect() {
				names = append(names, res.Name)
			}
		}
		slices.Sort(names)
		return names
	}
	eachCloud(t, nil, func(t *testing.T, r *run) {
		assert.Equal(t, []string{"db-1", "db-1-data", "media-1-data", "message-1-data"}, protected(r))
	})
	eachCloud(t, map[string]any{"construct:protect": false}, func(t *testing.T, r *run) {
		assert.Empty(t, protected(r), "make down must be able to take everything down")
	})
}

// The provider does not check a host key that it is not given.
func TestHostKeysArePinnedOnTargetAndProxy(t *testing.T) {
	t.Parallel()
	eachCloud(t, nil, func(t *testing.T, r *run) {
		keys := map[string]string{}
		for _, c := range r.ofType(commandType) {
			connection := reveal(c.Inputs["connection"]).ObjectValue()
			key := reveal(connection["hostKey"]).StringValue()
			assert.True(t, strings.HasPrefix(key, "ssh-ed25519 "), c.Name)
			host := reveal(connection["host"]).StringValue()
			if known, ok := keys[host]; ok {
				assert.Equal(t, known, key, "%s: one host, one key", c.Name)
			}
			keys[host] = key
			// Waiting for a host's sshd happens on the gateway.
			onGateway := strings.HasPrefix(c.Name, "gateway-") || strings.HasSuffix(c.Name, "-reach")
			proxy := reveal(connection["proxy"])
			assert.Equal(t, onGateway, proxy.IsNull(), "%s: only the gateway is dialled directly", c.Name)
			if !proxy.IsNull() {
				p := proxy.ObjectValue()
				assert.Equal(t, "203.0.113.10", reveal(p["host"]).StringValue(), "%s: through the stable address", c.Name)
				assert.True(t, strings.HasPrefix(reveal(p["hostKey"]).StringValue(), "ssh-ed25519 "), c.Name)
				assert.NotEqual(t, key, reveal(p["hostKey"]).StringValue(), "%s: every host has its own key", c.Name)
			}
		}
		assert.Len(t, keys, 5)
	})
}

func TestDirectSSHDialsEveryHostItself(t *testing.T) {
	t.Parallel()
	r := mustPreview(t, also(onDigitalOcean(), "construct:ssh", map[string]any{"direct": true, "port": 2222}))
	for _, c := range r.ofType(commandType) {
		connection := reveal(c.Inputs["connection"]).ObjectValue()
		assert.True(t, reveal(connection["proxy"]).IsNull(), c.Name)
		assert.InDelta(t, 2222, reveal(connection["port"]).NumberValue(), 0, c.Name)
	}
	assert.Empty(t, slices.DeleteFunc(r.triples(), func(l string) bool { return !strings.Contains(l, "-reach") }))
}

// TestSecretsStaySecret looks for every configured secret in everything that
// is registered outside a secret value: command texts, names, plain inputs.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	public, private := operatorKey(t)
	changes := map[string]any{
		"construct:ssh":        map[string]any{"publicKey": public, "privateKey": map[string]any{"secure": private}},
		"construct:registries": []any{map[string]any{"server": "ghcr.io", "username": "bot", "password": map[string]any{"secure": "registry-password-of-the-test"}}},
	}
	eachCloud(t, changes, func(t *testing.T, r *run) {
		secrets := secretTexts(r.cfg)
		require.GreaterOrEqual(t, len(secrets), 14)
		for _, res := range r.resources {
			walk(resource.NewProperty(res.Inputs), func(text string) {
				for name, secret := range secrets {
					assert.NotContains(t, text, secret, "%s in %s %s", name, res.TypeToken, res.Name)
					assert.NotContains(t, text, base64.StdEncoding.EncodeToString([]byte(secret)), "%s in %s %s", name, res.TypeToken, res.Name)
				}
			})
		}
		for _, s := range r.servers() {
			assert.True(t, s.Inputs["userData"].IsSecret(), "%s: user data holds the host's private key", s.Name)
		}
		for _, c := range r.ofType(commandType) {
			if strings.HasSuffix(c.Name, "-release") || strings.HasSuffix(c.Name, "-pull") {
				assert.True(t, c.Inputs["stdin"].IsSecret(), c.Name)
			}
		}
	})
}

// secretTexts are the secrets by name. A key's first line is the same for all
// keys, so its body is looked for.
func secretTexts(cfg *config.Config) map[string]string {
	s := cfg.Secrets
	all := map[string]string{
		"postgresPassword": s.PostgresPassword, "postgresExporterPassword": s.PostgresExporterPassword,
		"redisPassword": s.RedisPassword, "redisReplicaPassword": s.RedisReplicaPassword, "redisMonitorPassword": s.RedisMonitorPassword,
		"jwtPrivateKey": s.JWTPrivateKey, "csrfSecret": s.CSRFSecret, "apnsTokenKey": s.APNsTokenKey, "logHashSalt": s.LogHashSalt,
		"mediaUploadSecret": s.MediaUploadSecret, "grafanaPassword": s.GrafanaPassword, "hostKeySeed": s.HostKeySeed,
		"ssh.privateKey": cfg.SSH.PrivateKey,
	}
	for _, r := range cfg.Registries {
		all["registry "+r.Server] = r.Password
	}
	for name, text := range all {
		if lines := strings.Split(text, "\n"); len(lines) > 2 {
			all[name] = lines[1]
		}
	}
	return all
}

// walk visits every text that is not below a secret.
func walk(v resource.PropertyValue, visit func(string)) {
	switch {
	case v.IsString():
		visit(v.StringValue())
	case v.IsArray():
		for _, inner := range v.ArrayValue() {
			walk(inner, visit)
		}
	case v.IsObject():
		for _, inner := range v.ObjectValue() {
			walk(inner, visit)
		}
	}
}

// reveal looks through a secret.
func reveal(v resource.PropertyValue) resource.PropertyValue {
	for v.IsSecret() {
		v = v.SecretValue().Element
	}
	return v
}
