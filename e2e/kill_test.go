package e2e

import (
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config/configtest"
	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim/control"
	"github.com/construct-server/infra/sim/host/dry"
)

// TestKilled kills the engine and its plugins over and over while it creates,
// updates and destroys a stack: each run gets a little further than the one
// before, with the operator's commands in between. CONSTRUCT_SOAK=1 stops at
// every boundary, and compares with what an uninterrupted run makes.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("short: runs the engine ten times a cloud")
	}
	soak := soaking()
	for _, cloud := range clouds {
		t.Run(string(cloud), func(t *testing.T) {
			t.Parallel()
			k := &killer{t: t, soak: soak}
			k.l = startDryWith(t, cloud, dry.Options{Respond: k.gate.respond})
			if soak {
				k.everywhere()
				return
			}
			created := k.walk("up", true)
			k.settled()
			destroyed := k.walk("destroy", false)
			assert.Empty(t, resources(t, k.l), "a killed destroy left something in the cloud")
			t.Logf("killed at %d points of a first up, %d of a destroy: each converged", created, destroyed)
		})
	}
}

// TestKilledWhileResizing kills the engine when the cloud has made a volume or a
// server larger and nobody has heard of it: asked again, it refuses.
func TestKilledWhileResizing(t *testing.T) {
	if testing.Short() {
		t.Skip("short: runs the engine ten times a cloud")
	}
	for _, cloud := range clouds {
		t.Run(string(cloud), func(t *testing.T) {
			t.Parallel()
			k := &killer{t: t}
			k.l = startDryWith(t, cloud, dry.Options{Respond: k.gate.respond})
			up(t, k.l)
			for _, change := range []struct {
				key  string
				to   any
				skip int // a server is switched off before
			}{{key: "volumeGb", to: 30}, {key: "size", to: "large", skip: 1}} {
				require.NoError(t, k.l.Configure(t.Context(), configtest.Merge(k.l.Settings, map[string]any{
					"construct:roles": map[string]any{"db": map[string]any{change.key: change.to}},
				})))
				require.True(t, k.run("up", change.skip, true), "%s: nothing was killed", change.key)
				k.operate("pulumi", "cancel", "--yes", "--stack", "test")
				k.operate("construct", "repair", "--yes", "--stack", "test")
				up(t, k.l)
				k.settled()
			}
			destroy(t, k.l)
		})
	}
}

// everywhere walks through a whole life.
func (k *killer) everywhere() {
	t := k.t
	up(t, k.l)
	want := picture(t, k.l, control.Commands{})

	destroyed := k.walk("destroy", false)
	assert.Empty(t, resources(t, k.l), "a killed destroy left something in the cloud")

	before := commands(t, k.l)
	created := k.walk("up", true)
	assert.Equal(t, want, picture(t, k.l, before), "a killed up ends otherwise than one that is not")
	k.settled()

	require.NoError(t, k.l.Configure(t.Context(), changed(k.l.Settings)))
	updated := k.walk("up", true)
	k.settled()
	assert.Equal(t, want.Resources, picture(t, k.l, before).Resources)
	t.Logf("killed at %d points of a destroy, %d of a first up, %d of an update: each converged", destroyed, created, updated)
	destroy(t, k.l)
}

// changed is an update that concerns the clouds' APIs and every host.
func changed(s lab.Settings) lab.Settings {
	roles := map[string]any{}
	for name, role := range s["construct:roles"].(map[string]any) {
		roles[name] = role
	}
	roles["db"] = map[string]any{"size": "large", "volumeGb": 30}
	roles["message"] = map[string]any{"size": "medium", "volumeGb": 30}
	ssh := map[string]any{}
	for name, value := range s["construct:ssh"].(map[string]any) {
		ssh[name] = value
	}
	ssh["allowedCidrs"] = append([]string{"203.0.113.7/32"}, ssh["allowedCidrs"].([]string)...)
	return s.With("construct:roles", roles).With("construct:ssh", ssh).With("construct:release", map[string]any{
		"repository": "ghcr.io/construct-server/construct-server", "tag": "0.7.1",
	})
}

// killer kills runs of the engine at boundaries: API requests that change
// something, and SSH commands.
type killer struct {
	t    *testing.T
	l    *lab.Lab
	gate gate
	soak bool
}

// walk runs a command until a run of it is not killed, and counts the kills.
func (k *killer) walk(command string, repair bool) int {
	k.t.Helper()
	for kills := 0; ; kills++ {
		require.Less(k.t, kills, 300, "%s does not get on", command)
		// A request or command that never arrived and one that was carried
		// out, its answer unheard, in turn.
		if !k.run(command, k.depth(kills), kills%2 == 0) {
			return kills
		}
		k.operate("pulumi", "cancel", "--yes", "--stack", "test")
		if repair {
			k.operate("construct", "repair", "--yes", "--stack", "test")
		}
	}
}

// depth is how many boundaries a run passes before it is killed. It varies: what
// is done side by side would never be finished otherwise.
func (k *killer) depth(kills int) int {
	if k.soak {
		return kills / 2 % 6
	}
	return 10 * (kills + 1)
}

// operate runs one of the commands that an operator runs after a crash.
func (k *killer) operate(program string, args ...string) {
	k.t.Helper()
	p, err := k.l.Run(k.t.Context(), program, args...)
	require.NoError(k.t, err)
	require.NoError(k.t, p.Wait())
	k.t.Logf("%s %s: %s", program, args[0], p.Out)
}

// run tells whether the command was killed; otherwise it must have gone well.
func (k *killer) run(command string, skip int, done bool) bool {
	k.t.Helper()
	kind := control.Stall
	if done {
		kind = control.StallDone
	}
	require.NoError(k.t, k.l.Control.Post(k.t.Context(), "/faults",
		control.Fault{Kind: kind, Route: "^(POST|PUT|PATCH|DELETE) ", Skip: skip, Times: 1}, nil))
	release, struck := k.gate.arm(skip, done)
	defer func() {
		release()
		require.NoError(k.t, k.l.Control.Delete(k.t.Context(), "/faults"))
	}()
	p := pulumi(k.t, k.l, command)
	for !k.faultStruck() {
		select {
		case <-p.Done():
			require.NoError(k.t, p.Wait(), "a run after a killed one fails")
			return false
		case <-struck:
			require.NoError(k.t, p.Kill())
			return true
		case <-time.After(20 * time.Millisecond):
		}
	}
	require.NoError(k.t, p.Kill())
	return true
}

func (k *killer) faultStruck() bool {
	k.t.Helper()
	var list struct{ Faults []control.Fault }
	require.NoError(k.t, k.l.Control.Get(k.t.Context(), "/faults", &list))
	return len(list.Faults) > 0 && list.Faults[0].Struck > 0
}

// settled expects that state, program and cloud agree.
func (k *killer) settled() {
	k.t.Helper()
	assert.Equal(k.t, []string{"same"}, kinds(up(k.t, k.l)), "an up after the last one changed something")
	_, err := k.l.Stack.Refresh(k.t.Context(), optrefresh.ExpectNoChanges())
	require.NoError(k.t, err, "the cloud is not as the state says")
}

// gate holds one SSH command back.
type gate struct {
	mu       sync.Mutex
	armed    bool
	skip     int
	done     bool // whether the command that is held takes effect
	struck   chan struct{}
	released chan struct{}
}

func (g *gate) arm(skip int, done bool) (release func(), struck <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.armed, g.skip, g.done = true, skip, done
	g.struck, g.released = make(chan struct{}), make(chan struct{})
	released := g.released
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.armed = false
		close(released)
	}, g.struck
}

func (g *gate) respond(_, _ string) (string, int) {
	g.mu.Lock()
	if !g.armed || g.skip > 0 {
		g.skip--
		g.mu.Unlock()
		return "", 0
	}
	g.armed = false
	done, released := g.done, g.released
	close(g.struck)
	g.mu.Unlock()
	<-released
	if done {
		return "", 0
	}
	return "", 255 // nobody hears it; it tells the test that nothing was done
}
