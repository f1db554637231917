package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/sim/control"
)

// TestSwappedHostKey has another machine answer in a host's place, or somebody
// who changed its key. The next up refuses to tell it anything, and names it.
func TestSwappedHostKey(t *testing.T) {
	if testing.Short() {
		t.Skip("short: waits for the provider to give up dialling")
	}
	for _, c := range []struct {
		name, swapped string
		cloud         config.Cloud
		says          []string
	}{
		// The provider's words; the operator's guide says what they mean.
		{"a host behind the gateway", "construct-test-app-1", config.DigitalOcean, []string{"(app-1-pull)", "ssh: handshake failed"}},
		{"the gateway, on the way to another", "construct-test-gateway-1", config.DigitalOcean, []string{"(app-1-pull)", "proxy: ", "ssh: handshake failed: ssh: host key mismatch"}},
		{"a host behind the gateway, Hetzner", "construct-test-app-1", config.Hetzner, []string{"(app-1-pull)", "ssh: handshake failed"}},
		{"the gateway, Hetzner", "construct-test-gateway-1", config.Hetzner, []string{"(app-1-pull)", "proxy: ", "ssh: handshake failed: ssh: host key mismatch"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := startDry(t, c.cloud)
			up(t, l)
			// The database's host, its key unchanged, is asked meanwhile.
			told := func() int {
				hosts := commands(t, l).Hosts
				return len(hosts["construct-test-app-1"]) + len(hosts["construct-test-gateway-1"])
			}
			ran := told()
			require.NoError(t, l.Control.Post(t.Context(), "/faults", control.Fault{Kind: control.HostKey, Host: c.swapped}, nil))
			require.NoError(t, l.Configure(t.Context(), l.Settings.With("construct:release", map[string]any{
				"repository": "ghcr.io/construct-server/construct-server", "tag": "0.7.0",
				"overrides": map[string]any{"user-service": map[string]any{"tag": "0.7.1"}},
			})))
			said := upFails(t.Context(), t, l.Stack)
			for _, want := range c.says {
				assert.Contains(t, said, want)
			}
			assert.Equal(t, ran, told(), "a machine with another key was told something")

			require.NoError(t, l.Control.Delete(t.Context(), "/faults"))
			up(t, l)
			assert.Greater(t, told(), ran)
			destroy(t, l)
		})
	}
}
