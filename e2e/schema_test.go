package e2e

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/sim/host/dry"
)

// TestRefusedPastAMigration has the database's host refuse the way back to the
// version before: up says why, no server is given another release, and the
// configuration that runs goes on being a clean up.
func TestRefusedPastAMigration(t *testing.T) {
	if testing.Short() {
		t.Skip("short: runs the engine six times")
	}
	t.Parallel()
	const reason = "construct-test-db-1: auth-service: it would not start"
	var newer atomic.Bool
	l := startDryWith(t, config.DigitalOcean, dry.Options{Execute: func(_, command string, _ []byte) (string, string, int) {
		if newer.Load() && strings.Contains(command, "construct-schema prepare") && strings.Contains(command, ":0.7.0") {
			return "", reason + "\n", 3
		}
		return "", "", 0
	}})
	up(t, l)
	former := l.Settings
	require.NoError(t, l.Configure(t.Context(), l.Settings.With("construct:release", map[string]any{
		"repository": "ghcr.io/construct-server/construct-server", "tag": "0.8.0",
	})))
	up(t, l)
	newer.Store(true)
	present, before := l.Settings, commands(t, l)

	require.NoError(t, l.Configure(t.Context(), former))
	said := upFails(t.Context(), t, l.Stack)
	assert.Contains(t, said, "db-1-schema")
	assert.Contains(t, said, reason)
	for name, list := range commands(t, l).Hosts {
		for _, c := range list[len(before.Hosts[name]):] {
			assert.NotContains(t, c.Text, "construct-release apply", "%s was touched", name)
			assert.NotContains(t, c.Text, "construct-schema record", "%s was touched", name)
		}
	}
	require.NoError(t, l.Configure(t.Context(), present))
	up(t, l)
	assert.Equal(t, []string{"same"}, kinds(up(t, l)))
	destroy(t, l)
}
