package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// released is a host on which these digests were released, one after the other,
// each from a commit of its own.
func released(t *testing.T, digests ...string) *target {
	t.Helper()
	h := newTarget(t)
	for _, digest := range digests {
		h.release(digest)
	}
	return h
}

// release applies a healthy bundle, made from the commit c<digest>.
func (h *target) release(digest string) (stderr string) {
	h.t.Helper()
	file := filepath.Join(h.root, "bundle.tar")
	require.NoError(h.t, os.WriteFile(file, bundle{digest: digest, config: digest, web: wellWeb}.archive(h.t), 0o600))
	_, errOut, ok := h.run("", "apply-worker", file, digest, "--health-timeout", "2", "--commit", "c"+digest)
	require.True(h.t, ok, errOut)
	return errOut
}

// Who goes back twice wants to go further, not to where they fled from.
func TestRollbackGoesFurtherBack(t *testing.T) {
	t.Parallel()
	h := released(t, "aa", "bb", "cc")
	for _, want := range []string{"bb", "aa"} {
		_, errOut, ok := h.run("", "rollback-worker", "--health-timeout", "2")
		require.True(t, ok, errOut)
		assert.Equal(t, want, h.current())
	}
	_, errOut, ok := h.run("", "rollback-worker")
	require.False(t, ok)
	assert.Contains(t, errOut, "there is no earlier release on this host; here are: aa bb cc")

	h.release("dd")
	_, errOut, ok = h.run("", "rollback-worker", "--health-timeout", "2")
	require.True(t, ok, errOut)
	assert.Equal(t, "aa", h.current(), "what ran before dd, not what was left before that")
}

func TestHistoryNamesCommits(t *testing.T) {
	t.Parallel()
	h := released(t, "aa", "bb")
	_, errOut, ok := h.run("", "rollback-worker", "--health-timeout", "2")
	require.True(t, ok, errOut)
	_, _, ok = h.apply(bundle{digest: "ee", config: "c1", web: "# fake web exited 1 5 none\n"})
	require.False(t, ok)
	history, _, ok := h.run("", "history")
	require.True(t, ok)
	var lines []string
	for line := range strings.Lines(history) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), "\t")
		lines = append(lines, strings.ReplaceAll(rest, "\t", " "))
	}
	assert.Equal(t, []string{
		"alice apply aa caa ok", "alice apply bb cbb ok", "alice rollback aa caa ok", "alice apply ee - failed", "alice restore aa caa ok",
	}, lines)
}

// A holder that was killed leaves its note, and nobody is to wait for it.
func TestStatusTellsWhoReallyHoldsTheLock(t *testing.T) {
	t.Parallel()
	h := released(t, "aa")
	h.write("run/construct/holder", "bob, since 2026-01-01T00:00:00Z, for release ff\n")
	status, _, ok := h.run("", "status")
	require.True(t, ok)
	assert.NotContains(t, status, "bob")

	held := filepath.Join(h.fake, "held")
	holder := exec.CommandContext(t.Context(), "flock", filepath.Join(h.root, "run/construct/lock"), "sh", "-c", "touch "+held+"; sleep 30")
	require.NoError(t, holder.Start())
	t.Cleanup(func() { _ = holder.Process.Kill(); _ = holder.Wait() })
	require.Eventually(t, func() bool { _, err := os.Stat(held); return err == nil }, 10e9, 10e6)
	status, _, ok = h.run("", "status")
	require.True(t, ok)
	assert.Contains(t, status, "lock bob, since 2026-01-01T00:00:00Z, for release ff\n")
}

// A registry's bad day stops nobody who has the image.
func TestPullTakesTheCopyThatIsHere(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	require.NoError(t, os.WriteFile(filepath.Join(h.fake, "refused"), []byte("denied: try again tomorrow\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(h.fake, "local"), []byte("example.com/web:1\n"), 0o600))
	logins := filepath.Join(h.root, "run/construct/logins")
	require.NoError(t, os.WriteFile(logins, nil, 0o600))
	_, errOut, ok := h.run("", "pull-worker", "10", logins, "example.com/web:1")
	require.True(t, ok, errOut)
	assert.Contains(t, errOut, "pull example.com/web:1: denied: try again tomorrow")
	assert.Contains(t, errOut, "the copy of example.com/web:1 that is here is used")

	require.NoError(t, os.WriteFile(logins, nil, 0o600))
	_, errOut, ok = h.run("", "pull-worker", "10", logins, "example.com/web:1", "example.com/web:2")
	require.False(t, ok)
	assert.Contains(t, errOut, "could not pull example.com/web:2\n")
}

// A release that cannot be read may need anything: nothing is removed then, and
// the new one, which is healthy, did not fail.
func TestPruneRemovesNothingInDoubt(t *testing.T) {
	t.Parallel()
	h := released(t, "aa", "bb", "cc")
	require.NoError(t, os.Remove(filepath.Join(h.root, "var/lib/construct/releases/cc/manifest")))
	assert.Contains(t, h.release("dd"), "old releases could not be removed")
	assert.Equal(t, "dd", h.current())
	for _, digest := range []string{"aa", "bb", "cc", "dd"} {
		assert.True(t, h.exists("var/lib/construct/releases/"+digest), digest)
		assert.True(t, h.exists("var/lib/construct/config/web-"+digest), digest)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	out, _, ok := h.run("", "--help")
	assert.True(t, ok)
	assert.Contains(t, out, "usage: construct-release COMMAND")
	out, errOut, ok := h.run("", "restart")
	assert.False(t, ok)
	assert.Empty(t, out)
	assert.Contains(t, errOut, "usage: construct-release COMMAND")
}
