package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/sim/control"
	"github.com/construct-server/infra/sim/rig"
)

// killPoint is where a run is killed: at its API request of that number which
// changes something, or after as many SSH commands as that, in the middle of
// whatever they do on the hosts.
type killPoint struct{ request, commands int }

// TestKilledOnContainerHosts kills the engine where hosts do real work: while
// packages are set up, images are pulled and services are replaced. What runs on
// a host goes on without it, and the next run takes it from there.
func TestKilledOnContainerHosts(t *testing.T) {
	if !soaking() {
		t.Skip("soak: fifteen runs with five servers; TestKilled has a sample on dry hosts")
	}
	if err := rig.Engine(t.Context()); err != nil {
		t.Skipf("no Docker engine, so no container hosts: %v", err)
	}
	d := newDeployment(t, clouds[0])
	k := &killer{t: t, l: d.Lab}
	killed := d.killAt(k, "up", killPoint{request: 5}, killPoint{request: 9}, killPoint{commands: 2}, killPoint{commands: 6},
		killPoint{commands: 4}, killPoint{commands: 8}, killPoint{commands: 12})
	d.connect(t)
	k.settled()
	d.delivers(t, d.accept(t, "bob"))

	d.Settings["construct:release"].(map[string]any)["tag"] = "0.7.1"
	require.NoError(t, d.Configure(t.Context(), d.Settings))
	killed += d.killAt(k, "up", killPoint{commands: 1}, killPoint{commands: 3}, killPoint{commands: 3}, killPoint{commands: 2})
	k.settled()
	assert.Equal(t, "0.7.1", d.version(t, "/api/v1/users/profile"))
	assert.Equal(t, "0.7.1", d.version(t, "/api/v1/messages?timeout=0"))
	for role := range d.servers {
		d.healthy(t, role)
	}
	d.delivers(t, d.accept(t, "carol"))

	killed += d.killAt(k, "destroy", killPoint{request: 1}, killPoint{request: 4}, killPoint{request: 7})
	assert.Empty(t, resources(t, d.Lab), "a killed destroy left something in the cloud")
	measured(t, "%s, container hosts: killed at %d points of a first up, an update and a destroy: each converged", d.cloud, killed)
	assert.GreaterOrEqual(t, killed, 10)
}

// killAt runs a command once for each point, then to its end, and counts the
// runs that were killed: one may end before its point.
func (d *deployment) killAt(k *killer, command string, points ...killPoint) (killed int) {
	k.t.Helper()
	for i, point := range points {
		if !d.killOnce(k, command, point, i%2 == 0) {
			k.t.Logf("%s was over before %+v", command, point)
			return killed
		}
		killed++
		k.operate("pulumi", "cancel", "--yes", "--stack", "test")
		if command == "up" {
			k.operate("construct", "repair", "--yes", "--stack", "test")
		}
	}
	p := pulumi(k.t, k.l, command)
	require.NoError(k.t, p.Wait(), "%s after a killed one fails", command)
	return killed
}

// killOnce tells whether the run was killed; otherwise it must have gone well.
func (d *deployment) killOnce(k *killer, command string, point killPoint, done bool) bool {
	k.t.Helper()
	if point.request > 0 {
		kind := control.Stall
		if done {
			kind = control.StallDone
		}
		require.NoError(k.t, k.l.Control.Post(k.t.Context(), "/faults",
			control.Fault{Kind: kind, Route: "^(POST|PUT|PATCH|DELETE) ", Skip: point.request - 1, Times: 1}, nil))
		defer func() { require.NoError(k.t, k.l.Control.Delete(k.t.Context(), "/faults")) }()
	}
	before := commands(k.t, k.l).Total
	p := pulumi(k.t, k.l, command)
	for {
		select {
		case <-p.Done():
			require.NoError(k.t, p.Wait(), "a run after a killed one fails")
			return false
		case <-time.After(50 * time.Millisecond):
		}
		struck := point.commands > 0 && commands(k.t, k.l).Total >= before+point.commands
		if struck || point.request > 0 && k.faultStruck() {
			time.Sleep(time.Second) // into what the last command does
			require.NoError(k.t, p.Kill())
			return true
		}
	}
}
