package deploy

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rolled is a release of web, which is replaced without a gap, behind haproxy.
type rolled struct {
	digest string
	web    string // state, exit code, restarts, health
	data   string // image of a service that is not; default 1
}

func (r rolled) archive(t *testing.T) []byte {
	t.Helper()
	data := r.data
	if data == "" {
		data = "1"
	}
	return tarOf(t, map[string]string{
		"compose.yaml": "# fake data running 0 0 healthy\n# fake haproxy running 0 0 healthy\n# fake web " + r.web + "\n",
		"manifest": fmt.Sprintf("format 1\nrole app\ndigest %s\nroll web c%s 8001 3\n"+
			"service data example.com/data:%s - stateful\nservice haproxy example.com/haproxy:1 - stateless\n"+
			"service web example.com/web:%s c%s stateless\n", r.digest, r.digest, data, r.digest, r.digest),
	})
}

// tarOf is a bundle of files that everybody may read.
func tarOf(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for name, content := range files {
		require.NoError(t, w.WriteHeader(&tar.Header{
			Name: name, Mode: 0o644, Size: int64(len(content)), Uid: os.Getuid(), Gid: os.Getgid(),
		}))
		_, err := w.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return buf.Bytes()
}

const well = "running 0 0 healthy"

func newRollTarget(t *testing.T) *target {
	t.Helper()
	h := newTarget(t)
	h.bin = "testdata/roll"
	return h
}

func (h *target) roll(r rolled, args ...string) (stdout, stderr string, ok bool) {
	file := filepath.Join(h.root, "bundle.tar")
	require.NoError(h.t, os.WriteFile(file, r.archive(h.t), 0o600))
	return h.run("", append([]string{"apply-worker", file, r.digest, "--health-timeout", "3", "--soak", "1"}, args...)...)
}

// webs are web's containers: image and HAProxy's administrative state of each.
func (h *target) webs() string {
	containers, err := os.ReadFile(filepath.Join(h.fake, "containers"))
	require.NoError(h.t, err)
	slots, err := os.ReadFile(filepath.Join(h.fake, "slots"))
	require.NoError(h.t, err)
	var out []string
	for line := range strings.Lines(string(containers)) {
		c := strings.Fields(line)
		if c[1] != "web" {
			continue
		}
		state := "unknown to haproxy"
		for slot := range strings.Lines(string(slots)) {
			if s := strings.Fields(slot); s[2] == c[8] {
				state = map[string]string{"0": "ready", "1": "closed", "8": "draining"}[s[3]]
			}
		}
		out = append(out, strings.TrimPrefix(c[2], "example.com/web:")+" "+state)
	}
	return strings.Join(out, ", ")
}

// The new container starts beside the old one, gets requests when it has lived
// for a while, and the old one goes when it has none left.
func TestRoll(t *testing.T) {
	t.Parallel()
	h := newRollTarget(t)
	_, errOut, ok := h.roll(rolled{digest: "aa", web: well})
	require.True(t, ok, errOut)
	h.calls()

	out, errOut, ok := h.roll(rolled{digest: "bb", web: well})
	require.True(t, ok, errOut)
	assert.Contains(t, out, "construct-test-db-1: replacing web, each beside the one that runs")
	assert.Equal(t, "bb", h.current())
	assert.Equal(t, "bb ready", h.webs())
	calls := strings.Join(h.calls(), "\n")
	at := -1
	for _, step := range []string{
		"set server web/s2 state maint", "--no-deps --no-recreate --scale web=2 web", "set server web/s2 state ready",
		"set server web/s1 state drain", "stop id-web-3", "rm --force id-web-3", "set server web/s1 state ready", "--remove-orphans",
	} {
		next := strings.Index(calls, step)
		assert.Greater(t, next, at, "%q, after what comes before it, in:\n%s", step, calls)
		at = next
	}
	assert.NotContains(t, calls, "GAP web")

	// Nothing is left to do.
	_, errOut, ok = h.roll(rolled{digest: "bb", web: well})
	require.True(t, ok, errOut)
	assert.NotContains(t, strings.Join(h.calls(), "\n"), "set server")
}

// A version that is bad never gets a request, and the one before stays.
func TestRollOfABadVersion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ web, says string }{
		"never healthy": {"running 0 0 unhealthy", "web is unhealthy"},
		"exits":         {"restarting 1 4 none", "web keeps exiting (exit code 1, 4 restarts)"},
		"dies later":    {"running 0 0 dies", "web is starting, not healthy yet, within 3 seconds of having been healthy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newRollTarget(t)
			_, errOut, ok := h.roll(rolled{digest: "aa", web: well})
			require.True(t, ok, errOut)
			h.calls()
			_, errOut, ok = h.roll(rolled{digest: "bb", web: c.web}, "--soak", "3")
			require.False(t, ok)
			assert.Contains(t, errOut, "release bb failed: "+c.says)
			assert.Contains(t, errOut, "| what it said last")
			assert.Contains(t, errOut, "the earlier release aa runs again, healthy")
			assert.Equal(t, "aa", h.current())
			assert.Equal(t, "aa ready", h.webs())
			calls := strings.Join(h.calls(), "\n")
			assert.NotContains(t, calls, "set server web/s2 state ready\n", "a bad version got requests")
			assert.NotContains(t, calls, "rm --force id-web-3\n")
		})
	}
}

// What takes too long to drain is said and cut.
func TestRollCutsWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	h := newRollTarget(t)
	_, errOut, ok := h.roll(rolled{digest: "aa", web: well})
	require.True(t, ok, errOut)
	require.NoError(t, os.WriteFile(filepath.Join(h.fake, "busy"), []byte("7"), 0o600))
	_, errOut, ok = h.roll(rolled{digest: "bb", web: well})
	require.True(t, ok, errOut)
	assert.Contains(t, errOut, "after 3 seconds web has 7 requests under way; they are cut")
	assert.Equal(t, "bb ready", h.webs())
}

// Whatever a run that was killed has left is put in order by the next.
func TestRollAfterAnInterruption(t *testing.T) {
	t.Parallel()
	for name, digest := range map[string]string{"the same release": "bb", "the one before": "aa", "another": "cc"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newRollTarget(t)
			_, errOut, ok := h.roll(rolled{digest: "aa", web: well})
			require.True(t, ok, errOut)
			// The power goes when the new container runs and the old one drains.
			containers := filepath.Join(h.fake, "containers")
			content, err := os.ReadFile(containers)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(containers, append(content, "id-web-9 web example.com/web:bb cbb running 0 0 healthy 172.18.0.9\n"...), 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(h.fake, "slots"), []byte("web s1 172.18.0.3 8\nweb s2 172.18.0.9 0\nweb s3 - 1\nweb s4 - 1\n"), 0o600))
			h.calls()

			_, errOut, ok = h.roll(rolled{digest: digest, web: well})
			require.True(t, ok, errOut)
			assert.Equal(t, digest+" ready", h.webs())
			assert.NotContains(t, strings.Join(h.calls(), "\n"), "GAP web")
		})
	}
}

// Of two containers the one that is not well is told of, whichever is newer.
func TestRollReportsTheContainerOfItsRelease(t *testing.T) {
	t.Parallel()
	h := newRollTarget(t)
	_, errOut, ok := h.roll(rolled{digest: "aa", web: well})
	require.True(t, ok, errOut)
	containers := filepath.Join(h.fake, "containers")
	content, err := os.ReadFile(containers)
	require.NoError(t, err)
	content = bytes.ReplaceAll(content, []byte("caa running 0 0 healthy"), []byte("caa running 0 0 unhealthy"))
	require.NoError(t, os.WriteFile(containers, append(content, "id-web-9 web example.com/web:bb cbb running 0 0 healthy 172.18.0.9\n"...), 0o600))
	_, errOut, ok = h.roll(rolled{digest: "aa", web: well})
	require.False(t, ok)
	assert.Contains(t, errOut, "service web: state running, exit code 0, restarts 0, health unhealthy\n  image example.com/web:aa\n")
	assert.Contains(t, errOut, "| what it said last, id-web-3\n")
}

// Without HAProxy's word nothing is taken from the container that serves.
func TestRollWithoutHAProxy(t *testing.T) {
	t.Parallel()
	h := newRollTarget(t)
	_, errOut, ok := h.roll(rolled{digest: "aa", web: well})
	require.True(t, ok, errOut)
	containers := filepath.Join(h.fake, "containers")
	content, err := os.ReadFile(containers)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(containers, bytes.ReplaceAll(content, []byte("id-haproxy"), []byte("gone-haproxy")), 0o600))
	_, errOut, ok = h.roll(rolled{digest: "bb", web: well})
	require.False(t, ok)
	assert.Contains(t, errOut, "release bb failed: haproxy")
	assert.Equal(t, "aa unknown to haproxy", h.webs())
}

// A name that is looked up again can put an address into another slot, and that
// one is closed, too.
func TestRollWhenAnAddressChangesItsSlot(t *testing.T) {
	t.Parallel()
	h := newRollTarget(t)
	_, errOut, ok := h.roll(rolled{digest: "aa", web: well})
	require.True(t, ok, errOut)
	require.NoError(t, os.WriteFile(filepath.Join(h.fake, "moves"), nil, 0o600))
	h.calls()
	_, errOut, ok = h.roll(rolled{digest: "bb", web: well})
	require.True(t, ok, errOut)
	assert.Equal(t, "bb ready", h.webs())
	assert.Contains(t, strings.Join(h.calls(), "\n"), "set server web/s4 state ready")
	assert.NoFileExists(t, filepath.Join(h.fake, "moves"))
}

// Of a container that HAProxy does not find, the report has what it finds instead.
func TestRollOfAContainerThatHAProxyDoesNotFind(t *testing.T) {
	t.Parallel()
	h := newRollTarget(t)
	_, errOut, ok := h.roll(rolled{digest: "aa", web: well})
	require.True(t, ok, errOut)
	require.NoError(t, os.WriteFile(filepath.Join(h.fake, "lost"), []byte("172.18.0.4\n"), 0o600))
	_, errOut, ok = h.roll(rolled{digest: "bb", web: well})
	require.False(t, ok)
	assert.Contains(t, errOut, "release bb failed: web is healthy, but haproxy does not find it up at 172.18.0.4 within 3 seconds; "+
		"slot, address, state, administrative state: s1 172.18.0.3 2 0, s2 - 0 1, s3 - 0 1, s4 - 0 1")
	assert.Equal(t, "aa ready", h.webs())
}
