package deploy

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// edged is a release of edge, or of another service that has the host's ports itself.
type edged struct {
	digest  string
	edge    string // state, exit code, restarts, health
	takes   string // a configuration that it takes while it runs; default none
	service string // default edge
	alone   bool   // it was made when nothing stood in for it
	drain   int    // seconds that what has begun may take; default 3
}

func (e edged) archive(t *testing.T) []byte {
	t.Helper()
	name := cmp.Or(e.service, "edge")
	standIn := fmt.Sprintf("standin %s s%s %d 80/tcp 443/udp\n", name, e.digest[:1], cmp.Or(e.drain, 3))
	if e.alone {
		standIn = ""
	}
	return tarOf(t, map[string]string{
		"compose.yaml": "# fake " + name + " " + e.edge + "\n",
		"manifest": fmt.Sprintf("format 1\nrole gateway\ndigest %s\n%sservice %s example.com/edge:%[4]s c%[4]s%s stateless\n",
			e.digest, standIn, name, e.digest[:1], e.takes),
	})
}

// edgeTarget is a host on which the release aa runs.
func edgeTarget(t *testing.T) *target {
	t.Helper()
	h := newRollTarget(t)
	t.Cleanup(func() {
		pids, err := filepath.Glob(filepath.Join(h.fake, "pid-*"))
		require.NoError(t, err)
		for _, file := range pids {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
			require.NoError(t, err)
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may be gone
		}
	})
	_, errOut, ok := h.edge(edged{digest: "aa", edge: well})
	require.True(t, ok, errOut)
	h.calls()
	return h
}

func (h *target) edge(e edged, args ...string) (stdout, stderr string, ok bool) {
	file := filepath.Join(h.root, "bundle.tar")
	require.NoError(h.t, os.WriteFile(file, e.archive(h.t), 0o600))
	return h.run("", append([]string{"apply-worker", file, e.digest, "--health-timeout", "3", "--soak", "1"}, args...)...)
}

// left is what is on the host: containers of edge, and tables of rules.
func (h *target) left() (containers, tables []string) {
	content, err := os.ReadFile(filepath.Join(h.fake, "containers"))
	require.NoError(h.t, err)
	for line := range strings.Lines(string(content)) {
		c := strings.Fields(line)
		containers = append(containers, strings.TrimRight(c[0], "0123456789")+" "+c[2])
	}
	tables, err = filepath.Glob(filepath.Join(h.fake, "nft-construct_*"))
	require.NoError(h.t, err)
	return containers, tables
}

// standIn starts a stand-in of the release bb, and is its line in the list of containers.
func (h *target) standIn() string {
	process := exec.CommandContext(h.t.Context(), "sleep", "60")
	require.NoError(h.t, process.Start())
	go func() { _ = process.Wait() }()
	require.NoError(h.t, os.WriteFile(filepath.Join(h.fake, "pid-standin-edge-9"), fmt.Append(nil, process.Process.Pid), 0o600))
	return "standin-edge-9 edge example.com/edge:b sb running 0 0 healthy 172.18.0.9\n"
}

// settledOn expects that one container of the release serves, and nothing else is left.
func (h *target) settledOn(image string) {
	h.t.Helper()
	containers, tables := h.left()
	assert.Equal(h.t, []string{"id-edge- example.com/edge:" + image}, containers)
	assert.Empty(h.t, tables, "connections are still led away")
}

// What has the host's ports is made anew while a stand-in has its connections.
func TestStandIn(t *testing.T) {
	t.Parallel()
	h := edgeTarget(t)
	out, errOut, ok := h.edge(edged{digest: "bb", edge: well})
	require.True(t, ok, errOut)
	assert.Contains(t, out, "construct-test-db-1: replacing edge, while a stand-in of the new version has the connections")
	assert.Empty(t, errOut)
	assert.Equal(t, "bb", h.current())
	h.settledOn("b")
	calls := strings.Join(h.calls(), "\n")
	at := -1
	for _, step := range []string{
		"run --detach --no-deps --no-TTY --quiet-pull --name construct-edge-standin --publish 127.0.0.1::80/tcp --publish 127.0.0.1::443/udp edge",
		"network disconnect construct_default standin-edge-2", "network connect --alias edge construct_default standin-edge-2",
		"nft --file -", "StopSignal}} id-edge-1", "--no-deps edge", "GAP edge bridged", "nft delete table ip construct_standin_edge",
		"StopSignal}} standin-edge-2", "rm --force standin-edge-2", "--remove-orphans",
	} {
		next := strings.Index(calls, step)
		assert.Greater(t, next, at, "%q, after what comes before it, in:\n%s", step, calls)
		at = next
	}

	// Nothing is left to do; nor is there when it takes a configuration while it runs.
	for _, same := range []edged{{digest: "bb", edge: well}, {digest: "bc", edge: well, takes: "2"}} {
		_, errOut, ok = h.edge(same)
		require.True(t, ok, errOut)
		assert.NotContains(t, strings.Join(h.calls(), "\n"), "standin-edge")
	}
}

// A new version that is bad gets no connection, and the one before stays.
func TestStandInOfABadVersion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edge, says, soak string
		nftRefuses       bool
	}{
		"never healthy":   {edge: "running 0 0 unhealthy", says: "edge is unhealthy"},
		"exits":           {edge: "restarting 1 4 none", says: "edge keeps exiting (exit code 1, 4 restarts)"},
		"dies later":      {edge: "running 0 0 dies", soak: "3", says: "edge is starting, not healthy yet, within 3 seconds of having been healthy"},
		"rules not taken": {edge: well, says: "edge has connections that cannot be led to a stand-in", nftRefuses: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := edgeTarget(t)
			if c.nftRefuses {
				require.NoError(t, os.WriteFile(filepath.Join(h.fake, "nft-refuses"), nil, 0o600))
			}
			_, errOut, ok := h.edge(edged{digest: "bb", edge: c.edge}, "--soak", cmp.Or(c.soak, "1"))
			require.False(t, ok)
			assert.Contains(t, errOut, "release bb failed: "+c.says)
			assert.Contains(t, errOut, "| what it said last")
			assert.Contains(t, errOut, "the earlier release aa runs again, healthy")
			assert.Equal(t, "aa", h.current())
			h.settledOn("a")
			calls := strings.Join(h.calls(), "\n")
			assert.NotContains(t, calls, "GAP edge")
			assert.NotContains(t, calls, "StopSignal", "the one that serves was asked to end")
		})
	}
}

// What takes too long to end is said and cut.
func TestStandInCutsWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	h := edgeTarget(t)
	require.NoError(t, os.WriteFile(filepath.Join(h.fake, "deaf"), nil, 0o600))
	_, errOut, ok := h.edge(edged{digest: "bb", edge: well})
	require.True(t, ok, errOut)
	_, errOut, ok = h.edge(edged{digest: "cc", edge: well})
	require.True(t, ok, errOut)
	assert.Contains(t, errOut, "after 3 seconds edge has requests under way; they are cut")
	h.settledOn("c")
}

// A HAProxy that ends keeps its callers' connections until they ask again. It is
// not waited for when it has no request under way, and has had none for a while.
func TestStandInLeavesUnusedConnections(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		says  string // under way, ever: an arithmetic expression each
		drain int
		cut   bool
	}{
		"no request for a while":    {says: "0 7", drain: 60},
		"requests again and again":  {says: "0 SECONDS", drain: 12, cut: true},
		"a request all the time":    {says: "1 7", drain: 12, cut: true},
		"one that does not tell it": {drain: 3, cut: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := edgeTarget(t)
			require.NoError(t, os.WriteFile(filepath.Join(h.fake, "deaf"), nil, 0o600))
			if c.says != "" {
				require.NoError(t, os.WriteFile(filepath.Join(h.fake, "requests"), []byte(c.says), 0o600))
			}
			for _, digest := range []string{"bb", "cc"} {
				_, errOut, ok := h.edge(edged{digest: digest, edge: well, service: "haproxy", drain: c.drain})
				require.True(t, ok, errOut)
				said := fmt.Sprintf("after %d seconds haproxy has requests under way; they are cut", c.drain)
				assert.Equal(t, c.cut && digest == "cc", strings.Contains(errOut, said), errOut)
			}
		})
	}
}

// Whatever a run that was killed has left is put in order by the next, and what
// serves goes on until something else does.
func TestStandInAfterAnInterruption(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		standIn, diverted, published bool
		bridges                      bool // the gap is bridged, by that stand-in or another
	}{
		"before it gets connections":      {standIn: true, published: true, bridges: true},
		"while the one before ends":       {standIn: true, diverted: true, published: true, bridges: true},
		"before the new one starts":       {standIn: true, diverted: true},
		"and its stand-in is gone":        {diverted: true, published: true, bridges: true},
		"and everything is gone":          {diverted: true},
		"after the connections came back": {standIn: true, published: true, bridges: true},
	} {
		for _, next := range []edged{{digest: "aa"}, {digest: "bb"}, {digest: "cc"}, {digest: "dd", alone: true}} {
			next.edge = well
			t.Run(name+", then "+next.digest, func(t *testing.T) {
				t.Parallel()
				h := edgeTarget(t)
				path := filepath.Join(h.fake, "containers")
				content, err := os.ReadFile(path)
				require.NoError(t, err)
				if !c.published {
					content = nil
				}
				if c.standIn {
					content = append(content, h.standIn()...)
				}
				require.NoError(t, os.WriteFile(path, content, 0o600))
				if c.diverted {
					require.NoError(t, os.WriteFile(filepath.Join(h.fake, "nft-construct_standin_edge"), nil, 0o600))
				}

				_, errOut, ok := h.edge(next)
				require.True(t, ok, errOut)
				h.settledOn(next.digest[:1])
				if next.alone {
					return
				}
				calls := strings.Join(h.calls(), "\n")
				if c.bridges && next.digest != "aa" {
					assert.Contains(t, calls, "GAP edge bridged")
				}
				assert.NotContains(t, calls, "GAP edge\n")
			})
		}
	}
}

// A stand-in that a killed run has left serves on while what is published does not
// get healthy: it is not taken for it.
func TestStandInServesUntilWhatIsPublishedDoes(t *testing.T) {
	t.Parallel()
	h := edgeTarget(t)
	path := filepath.Join(h.fake, "containers")
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	content = append(bytes.ReplaceAll(content, []byte(" healthy "), []byte(" unhealthy ")),
		h.standIn()...)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(h.fake, "nft-construct_standin_edge"), nil, 0o600))

	_, errOut, ok := h.edge(edged{digest: "aa", edge: well})
	require.False(t, ok)
	assert.Contains(t, errOut, "release aa failed: edge is unhealthy")
	containers, tables := h.left()
	assert.Equal(t, []string{"id-edge- example.com/edge:a", "standin-edge- example.com/edge:b"}, containers)
	assert.Len(t, tables, 1, "connections were led back to what does not serve")
}
