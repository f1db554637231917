package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	liveWeb     = "var/lib/construct/live/web"
	reloadOfWeb = "exec id-web web reload --now"
)

// calls are the docker commands since the last look.
func (h *target) calls() []string {
	file := filepath.Join(h.fake, "calls")
	content, err := os.ReadFile(file)
	require.NoError(h.t, err)
	require.NoError(h.t, os.Remove(file))
	return strings.Split(string(content), "\n")
}

// currentWeb is the configuration that web's container sees.
func (h *target) currentWeb() string {
	to, err := os.Readlink(filepath.Join(h.root, liveWeb, "current"))
	require.NoError(h.t, err)
	require.FileExists(h.t, filepath.Join(h.root, liveWeb, "current", "users.acl"))
	return to
}

func (h *target) inode() os.FileInfo {
	info, err := os.Stat(filepath.Join(h.root, liveWeb))
	require.NoError(h.t, err)
	return info
}

func reloading(digest, config string) bundle {
	return bundle{digest: digest, config: config, web: wellWeb, reloads: true}
}

// A changed configuration becomes current in the directory that the container
// has mounted, and the service is told when all are healthy.
func TestReload(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	_, errOut, ok := h.apply(reloading("aa", "c1"))
	require.True(t, ok, errOut)
	assert.Equal(t, "web-c1", h.currentWeb())
	mounted := h.inode()
	h.calls()

	_, errOut, ok = h.apply(reloading("bb", "c2"))
	require.True(t, ok, errOut)
	assert.Equal(t, "web-c2", h.currentWeb())
	assert.True(t, os.SameFile(mounted, h.inode()), "the mounted directory was replaced: a running container would not see it")
	calls := strings.Join(h.calls(), "\n")
	up, reload := strings.Index(calls, " up --detach"), strings.Index(calls, reloadOfWeb)
	assert.True(t, up >= 0 && reload > up, "first what runs, then the reload:\n%s", calls)

	_, errOut, ok = h.run("", "rollback-worker", "--health-timeout", "2")
	require.True(t, ok, errOut)
	assert.Equal(t, "web-c1", h.currentWeb())
	assert.Contains(t, h.calls(), reloadOfWeb)
}

// What the service refuses is not what it would start with.
func TestReloadRefused(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	_, errOut, ok := h.apply(reloading("aa", "c1"))
	require.True(t, ok, errOut)
	refuse := filepath.Join(h.fake, "refuse")
	require.NoError(t, os.WriteFile(refuse, []byte("unknown directive s3cret.value*[x]"), 0o600))
	out, errOut, ok := h.apply(reloading("bb", "c2"))
	require.False(t, ok)
	assert.Contains(t, errOut, "release bb failed: web refused its new configuration")
	assert.Contains(t, errOut, "docker compose: Error: unknown directive ***")
	assert.NotContains(t, out+errOut, "s3cret.value")
	assert.Equal(t, "web-c1", h.currentWeb())
	assert.Equal(t, "aa", h.current())

	require.NoError(t, os.Remove(refuse))
	_, errOut, ok = h.apply(reloading("bb", "c2"))
	require.True(t, ok, errOut)
	assert.Equal(t, "web-c2", h.currentWeb())
}

// A release that fails for another reason leaves no new configuration behind.
func TestReloadGoesBackWithItsRelease(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	_, errOut, ok := h.apply(reloading("aa", "c1"))
	require.True(t, ok, errOut)
	bad := reloading("bb", "c2")
	bad.web = "# fake web exited 3 0 none\n"
	_, errOut, ok = h.apply(bad)
	require.False(t, ok)
	assert.Contains(t, errOut, "the earlier release aa runs again, healthy")
	assert.Equal(t, "web-c1", h.currentWeb())
}

// A service that began to reload, or no longer does, changes its mount; the
// releases before it can still be gone back to.
func TestReloadBeginsAndEnds(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	for _, b := range []bundle{{digest: "aa", config: "c1", web: wellWeb}, reloading("bb", "c1"), {digest: "cc", config: "c2", web: wellWeb}} {
		_, errOut, ok := h.apply(b)
		require.True(t, ok, errOut)
	}
	assert.True(t, h.exists("var/lib/construct/config/web-c1/users.acl"))
	assert.True(t, h.exists("var/lib/construct/config/web-c2/users.acl"))
	for _, digest := range []string{"bb", "aa"} {
		_, errOut, ok := h.run("", "rollback-worker", digest, "--health-timeout", "2")
		require.True(t, ok, errOut)
		assert.Equal(t, digest, h.current())
	}
}

func TestPruneKeepsThreeReloaded(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	for _, n := range []string{"0", "1", "2", "3"} {
		_, errOut, ok := h.apply(reloading("a"+n, "c"+n))
		require.True(t, ok, errOut)
	}
	for name, kept := range map[string]bool{"web-c0": false, "web-c1": true, "web-c2": true, "web-c3": true, "current": true} {
		assert.Equal(t, kept, h.exists(filepath.Join(liveWeb, name)), name)
	}
}
