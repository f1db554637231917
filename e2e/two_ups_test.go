package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim/host/dry"
)

// How long a simulated cloud may take, and how often it is asked.
const (
	waitForCloud = 30 * time.Second
	pollCloud    = 50 * time.Millisecond
)

// TestTwoUps starts an up while another is at work: it must fail at once, say
// who holds the stack, and touch nothing.
func TestTwoUps(t *testing.T) {
	if testing.Short() {
		t.Skip("short: runs the engine three times")
	}
	t.Parallel()
	var g gate
	l := startDryWith(t, config.DigitalOcean, dry.Options{Respond: g.respond})
	release, struck := g.arm(0, true)
	first := pulumi(t, l, "up")
	select {
	case <-struck:
	case <-first.Done():
		release()
		require.FailNow(t, "the first up told no host anything", "%v", first.Wait())
	}
	asked := l.Sim.Control.Requests().Counts
	second := pulumi(t, l, "up")
	err := second.Wait()
	release()
	require.ErrorContains(t, err, "the stack is currently locked by 1 lock(s)")
	assert.Regexp(t, `created by \S+@\S+ \(pid \d+\)`, second.Out.String(), "nobody is named")
	for _, route := range []string{"POST /v2/droplets", "POST /v2/vpcs", "POST /v2/volumes"} {
		assert.LessOrEqual(t, l.Sim.Control.Requests().Counts[route], max(asked[route], 5), "the second up created something")
	}
	require.NoError(t, first.Wait())
	assert.Len(t, machines(t, l, config.DigitalOcean), 5)
	assert.Equal(t, []string{"same"}, kinds(up(t, l)))
	destroy(t, l)
}

// pulumi starts a command as an operator on some machine would.
func pulumi(t *testing.T, l *lab.Lab, command string) *lab.Process {
	t.Helper()
	p, err := l.Run(t.Context(), "pulumi", command, "--yes", "--skip-preview", "--non-interactive", "--stack", "test")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, p.Kill()) })
	return p
}
