package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/sim/control"
)

// TestLostAnswer loses the answer to a creation that was carried out. What is
// there is named, and after `construct repair` an up completes: nothing is left
// over and nothing is there twice.
func TestLostAnswer(t *testing.T) {
	if testing.Short() {
		t.Skip("short: runs the engine five times")
	}
	for _, c := range []struct {
		cloud       config.Cloud
		route, host string
		says        string // of the up after the one that failed; empty: that one goes well
	}{
		{config.DigitalOcean, serverRoute[config.DigitalOcean], "construct-test-app-1", ""},
		{config.DigitalOcean, "^POST /v2/volumes$", "construct-test-db-1-data", "already"},
		{config.Hetzner, serverRoute[config.Hetzner], "construct-test-app-1", "uniqueness_error"},
	} {
		t.Run(c.host+" on "+string(c.cloud), func(t *testing.T) {
			t.Parallel()
			l := startDry(t, c.cloud)
			require.NoError(t, l.Control.Post(t.Context(), "/faults",
				control.Fault{Kind: control.LostAnswer, Route: c.route, Host: c.host, Times: 1}, nil))
			if c.says == "" {
				// DigitalOcean's client asks again, and gets a second one.
				up(t, l)
			} else {
				upFails(t.Context(), t, l.Stack)
				assert.Contains(t, upFails(t.Context(), t, l.Stack), c.says)
			}
			repair, err := l.Run(t.Context(), "construct", "repair", "--yes", "--stack", "test")
			require.NoError(t, err)
			require.NoError(t, repair.Wait())
			assert.Contains(t, repair.Out.String(), c.host)
			up(t, l)
			assert.Len(t, machines(t, l, c.cloud), 5)
			assert.Equal(t, []string{"same"}, kinds(up(t, l)))
			destroy(t, l)
		})
	}
}
