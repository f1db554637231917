package e2e

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/e2e/lab"
)

// TestSwitchCloud changes `cloud:` and the region and expects the same
// deployment on the other cloud, and nothing left on the first.
func TestSwitchCloud(t *testing.T) {
	if testing.Short() {
		t.Skip("short: brings a stack up on two clouds, from each to the other")
	}
	for _, c := range []struct{ from, to config.Cloud }{{config.DigitalOcean, config.Hetzner}, {config.Hetzner, config.DigitalOcean}} {
		t.Run(string(c.from)+" to "+string(c.to), func(t *testing.T) {
			t.Parallel()
			l := startDry(t, c.from)
			up(t, l)
			first, moved := fleetOf(t, l, time.Time{}), time.Now()
			to, err := l.Settings.SwitchCloud(c.to)
			require.NoError(t, err)
			require.NoError(t, l.Configure(t.Context(), to))
			up(t, l)
			assert.Equal(t, first, fleetOf(t, l, moved))
			for kind := range resources(t, l) {
				assert.True(t, strings.HasPrefix(kind, string(c.to)+"/"), "%s is left on the first cloud", kind)
			}
			destroy(t, l)
		})
	}
}

// fleet is what two clouds must have in common.
type fleet struct {
	outputs []string            // their names
	servers map[string]string   // names, by role
	urls    any                 // of the services
	told    map[string][]string // by server: what each command says it does, with the services of a release
}

// digest is what a cloud's name may have a part in.
var digest = regexp.MustCompile(`\b[0-9a-f]{12,}\b`)

// fleetOf is the fleet that a stack has, made by commands since a time.
func fleetOf(t *testing.T, l *lab.Lab, since time.Time) fleet {
	t.Helper()
	outputs, err := l.Stack.Outputs(t.Context())
	require.NoError(t, err)
	servers, err := lab.Servers(outputs)
	require.NoError(t, err)
	require.Len(t, servers, 5)
	f := fleet{servers: map[string]string{}, urls: outputs["internalServiceUrls"].Value, told: map[string][]string{}}
	assert.Positive(t, outputs["monthlyCost"].Value.(map[string]any)["amount"])
	f.outputs = slices.Sorted(maps.Keys(outputs))
	ran := commands(t, l).Hosts
	for _, server := range servers {
		f.servers[server.Role] = server.Name
		for _, c := range ran[server.Name] {
			if c.Time.Before(since) {
				continue
			}
			var lines []string
			for line := range strings.Lines(c.Text) {
				if strings.HasPrefix(line, "# ") {
					lines = append(lines, digest.ReplaceAllString(strings.TrimSpace(line), "…"))
				}
			}
			f.told[server.Name] = append(f.told[server.Name], strings.Join(lines, "\n"))
		}
		require.NotEmpty(t, f.told[server.Name], "%s was told nothing", server.Name)
		slices.Sort(f.told[server.Name]) // steps of one server run side by side
	}
	return f
}
