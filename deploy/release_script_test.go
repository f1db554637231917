package deploy

import (
	"archive/tar"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// target is a directory that release.sh takes for a host, with a docker that
// only pretends. What needs systemd and a real engine runs on container hosts.
type target struct {
	t          *testing.T
	root, fake string
	bin        string // directory of the docker that pretends
}

func newTarget(t *testing.T) *target {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("bash is not installed")
	}
	h := &target{t: t, root: t.TempDir(), fake: t.TempDir(), bin: "testdata/bin"}
	for _, dir := range []string{"etc/construct", "var/lib/construct/releases", "var/lib/construct/config", "var/lib/construct/incoming", "run/construct"} {
		require.NoError(t, os.MkdirAll(filepath.Join(h.root, dir), 0o755))
	}
	h.write("etc/construct/name", "construct-test-db-1\n")
	require.NoError(t, os.WriteFile(filepath.Join(h.fake, "logs"), []byte(
		"listening\npassword is s3cret.value*[x]\nurl postgres://app:UrlPassword1@db.internal/x\nacl AclPasswordOf24Characters\n"+
			"config {\"token\": \"say \\\"eleven\\\" \\u0026 two\"}\n"+strings.Repeat(".", 490)+"s3cret.value*[x]\nsmtp: hunter 2\n"), 0o600))
	return h
}

func (h *target) write(name, content string) {
	require.NoError(h.t, os.WriteFile(filepath.Join(h.root, name), []byte(content), 0o600))
}

func (h *target) read(name string) string {
	content, err := os.ReadFile(filepath.Join(h.root, name))
	require.NoError(h.t, err)
	return string(content)
}

func (h *target) exists(name string) bool {
	_, err := os.Stat(filepath.Join(h.root, name))
	return err == nil
}

// run is construct-release with args.
func (h *target) run(stdin string, args ...string) (stdout, stderr string, ok bool) {
	scripts, err := filepath.Abs("scripts")
	require.NoError(h.t, err)
	bin, err := filepath.Abs(h.bin)
	require.NoError(h.t, err)
	command := exec.CommandContext(h.t.Context(), "bash", append([]string{filepath.Join(scripts, "release.sh")}, args...)...)
	command.Env = []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "CONSTRUCT_ROOT=" + h.root, "CONSTRUCT_WHO=alice",
		"CONSTRUCT_LIB=" + filepath.Join(scripts, "lib"), "FAKE=" + h.fake,
	}
	command.Stdin = strings.NewReader(stdin)
	var out, errOut bytes.Buffer
	command.Stdout, command.Stderr = &out, &errOut
	err = command.Run()
	return out.String(), errOut.String(), err == nil
}

// bundle is a release of two services, web as given and data always running.
type bundle struct {
	digest, config, web string
	reloads             bool   // web takes a changed configuration without a new container
	data                string // tag of data's image; default 1
	taken               string // the configuration that data takes while it runs; default -
}

func (b bundle) archive(t *testing.T) []byte {
	t.Helper()
	mounts, reload, data := "config/web-"+b.config, "", cmp.Or(b.data, "1")
	if b.reloads {
		mounts, reload = "live/web", "reload web web-"+b.config+" web reload --now\n"
	}
	files := []struct {
		name, content string
		mode          int64
	}{
		{"compose.yaml", "# /var/lib/construct/" + mounts + "\n" + b.web + "# fake data running 0 0 none\n", 0o644},
		{"config/web-" + b.config + "/users.acl", "user app >AclPasswordOf24Characters\nsmtp_auth_password: \"hunter 2\"\n", 0o640},
		{"env/web.env", "PASSWORD='s3cret.value*[x]'\nTOKEN='say \"eleven\" & two'\nISSUER=example.com\nURL=postgres://app:UrlPassword1@db.internal/x\n", 0o600},
		{"manifest", fmt.Sprintf("format 1\nrole db\ndigest %s\nmount /srv/construct\ndir 0750 %d %d /srv/construct/web data\n"+
			"%sservice data example.com/data:%s %s stateful\nservice web example.com/web:%s %s stateless\nrestart data example.com/data:%[5]s r1\n",
			b.digest, os.Getuid(), os.Getgid(), reload, data, cmp.Or(b.taken, "-"), b.digest, b.config), 0o644},
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range files {
		require.NoError(t, w.WriteHeader(&tar.Header{
			Name: f.name, Mode: f.mode, Size: int64(len(f.content)), Uid: os.Getuid(), Gid: os.Getgid(),
		}))
		_, err := w.Write([]byte(f.content))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return buf.Bytes()
}

const wellWeb = "# fake web running 0 0 healthy\n"

// apply unpacks and starts b, as the unit does under the lock.
func (h *target) apply(b bundle, options ...string) (stdout, stderr string, ok bool) {
	file := filepath.Join(h.root, "bundle.tar")
	require.NoError(h.t, os.WriteFile(file, b.archive(h.t), 0o600))
	return h.run("", append([]string{"apply-worker", file, b.digest, "--health-timeout", "2"}, options...)...)
}

func (h *target) current() string {
	out, _, _ := h.run("", "current")
	return strings.TrimSpace(out)
}

func TestApply(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	out, errOut, ok := h.apply(bundle{digest: "aa", config: "c1", web: wellWeb})
	require.True(t, ok, errOut)
	assert.Contains(t, out, "release aa is healthy on construct-test-db-1")
	assert.Equal(t, "aa", h.current())
	assert.True(t, h.exists("srv/construct/web data"))
	assert.True(t, h.exists("var/lib/construct/config/web-c1/users.acl"))
	assert.False(t, h.exists("var/lib/construct/releases/aa/config"))
	assert.Contains(t, h.read("var/lib/construct/history"), "\talice\tapply\taa\t-\tok\n")
	assert.False(t, h.exists("run/construct/holder"))

	calls, err := os.ReadFile(filepath.Join(h.fake, "calls"))
	require.NoError(t, err)
	assert.Contains(t, string(calls), "compose --project-name construct --project-directory "+h.root+"/var/lib/construct/releases/aa --env-file "+
		h.root+"/etc/construct/host.env --file "+h.root+"/var/lib/construct/releases/aa/compose.yaml up --detach --quiet-pull --no-build --remove-orphans")

	status, _, ok := h.run("", "status")
	require.True(t, ok)
	assert.Contains(t, status, "release aa\n")
	assert.Contains(t, status, "service web running healthy 0 example.com/web:aa c1 stateless\n")
}

func TestApplyFailureGoesBackAndTellsNoSecret(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ web, want string }{
		"never healthy": {"# fake web running 0 0 starting\n", "web is starting, not healthy yet"},
		"crash loop":    {"# fake web running 137 3 starting\n", "web keeps exiting (exit code 137, 3 restarts)"},
		"exited":        {"# fake web exited 3 0 none\n", "web is exited, exit code 3"},
		"not there":     {"", "web is without a container"},
		"compose fails": {"# fail port is already allocated s3cret.value*[x]\n", "docker compose: port is already allocated ***"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newTarget(t)
			_, errOut, ok := h.apply(bundle{digest: "aa", config: "c1", web: wellWeb})
			require.True(t, ok, errOut)
			out, errOut, ok := h.apply(bundle{digest: "bb", config: "c2", web: c.web})
			require.False(t, ok)
			assert.Contains(t, errOut, "construct-test-db-1: release bb failed: ")
			assert.Contains(t, errOut, c.want)
			assert.Contains(t, errOut, "the earlier release aa runs again, healthy")
			assert.Equal(t, "aa", h.current())
			assert.Contains(t, h.read("var/lib/construct/history"), "\tapply\tbb\t-\tfailed\n")
			if c.web != "" && name != "compose fails" {
				assert.Contains(t, errOut, "host construct-test-db-1, service web: state ")
				assert.Contains(t, errOut, "  last health check: exit code 1 \"connection refused\"")
				assert.Contains(t, errOut, "  | password is ***\n")
				assert.Contains(t, errOut, "  | acl ***\n")
				assert.Contains(t, errOut, "  image example.com/web:bb\n", "what is no secret is readable")
			}
			for _, secret := range []string{"s3cret", "UrlPassword1", "AclPasswordOf24Characters", "eleven", "hunter"} {
				assert.NotContains(t, out+errOut, secret)
			}
			_, errOut, ok = h.apply(bundle{digest: "cc", config: "c2", web: wellWeb})
			require.True(t, ok, "the next good release works: %s", errOut)
			assert.False(t, h.exists("var/lib/construct/releases/bb"), "a failed release stays only until the next good one")
		})
	}
}

// What serves on after a failure may not start again, if the new version has
// migrated the database before it failed.
func TestApplyFailureTellsOfMigrations(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	_, errOut, ok := h.apply(bundle{digest: "aa", config: "c1", web: wellWeb})
	require.True(t, ok, errOut)
	_, errOut, ok = h.apply(bundle{digest: "bb", config: "c2", web: "# fake web exited 3 0 none\n"}, "--migrates")
	require.False(t, ok)
	assert.Contains(t, errOut, "the earlier release aa runs again, healthy\nconstruct-test-db-1: before it failed it may have migrated the database.")
	assert.Contains(t, errOut, "sudo construct-schema status")
}

func TestApplyFirstReleaseFails(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	_, errOut, ok := h.apply(bundle{digest: "aa", config: "c1", web: "# fake web exited 1 5 none\n"})
	require.False(t, ok)
	assert.Contains(t, errOut, "there is no earlier release; release aa is left as it is")
	assert.Empty(t, h.current())
}

func TestApplyRefusesWithoutVolume(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	require.NoError(t, os.WriteFile(filepath.Join(h.fake, "unmounted"), nil, 0o600))
	_, errOut, ok := h.apply(bundle{digest: "aa", config: "c1", web: wellWeb})
	require.False(t, ok)
	assert.Contains(t, errOut, "the data volume is not mounted at /srv/construct; nothing was changed")
	assert.False(t, h.exists("srv/construct/web data"))
	assert.Contains(t, h.read("var/lib/construct/history"), "\tfailed\n")
}

func TestPruneKeepsThree(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	for i := range 4 {
		_, errOut, ok := h.apply(bundle{digest: fmt.Sprintf("a%d", i), config: fmt.Sprintf("c%d", i), web: wellWeb})
		require.True(t, ok, errOut)
	}
	for name, kept := range map[string]bool{
		"releases/a0": false, "releases/a1": true, "releases/a2": true, "releases/a3": true,
		"config/web-c0": false, "config/web-c1": true, "config/web-c2": true, "config/web-c3": true,
	} {
		assert.Equal(t, kept, h.exists("var/lib/construct/"+name), name)
	}
	calls, err := os.ReadFile(filepath.Join(h.fake, "calls"))
	require.NoError(t, err)
	assert.Contains(t, string(calls), "image rm example.com/web:a0\n")
	assert.NotContains(t, string(calls), "image rm example.com/data:1\n", "still used by a kept release")
}

func TestRollback(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	for _, digest := range []string{"aa", "bb"} {
		_, errOut, ok := h.apply(bundle{digest: digest, config: "c1", web: wellWeb})
		require.True(t, ok, errOut)
	}
	out, errOut, ok := h.run("", "target")
	require.True(t, ok, errOut)
	assert.Equal(t, "release aa\nservice data example.com/data:1 - stateful\nservice web example.com/web:aa c1 stateless\n", out)
	_, errOut, ok = h.run("", "rollback-worker", "--health-timeout", "2")
	require.True(t, ok, errOut)
	assert.Equal(t, "aa", h.current())
	_, errOut, ok = h.run("", "rollback-worker", "ee")
	require.False(t, ok)
	assert.Contains(t, errOut, "release ee is not on this host; here are: aa bb")
}

func TestApplyRefusesDamagedBundle(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	archive := bundle{digest: "aa", config: "c1", web: wellWeb}.archive(t)
	sum := sha256.Sum256(archive)
	header := "# server 1\naddresses 10.0.0.1 203.0.113.1\nsha256 " + hex.EncodeToString(sum[:]) + "\n\n"
	for name, stdin := range map[string]string{
		"cut short":      header + pack(archive)[:40],
		"not base64":     header + "!!!",
		"unknown header": "color blue\n" + header + pack(archive),
		"nothing":        "",
	} {
		_, errOut, ok := h.run(stdin, "apply", "aa")
		require.False(t, ok, name)
		assert.Contains(t, errOut, "construct-test-db-1: release aa: ", name)
		assert.False(t, h.exists("var/lib/construct/releases/aa"), name)
	}
	_, errOut, ok := h.run("", "apply", "$(reboot)")
	require.False(t, ok)
	assert.Contains(t, errOut, "'$(reboot)' is not a digest")
}

func TestLockNamesItsHolder(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	held := filepath.Join(h.fake, "held")
	holder := exec.CommandContext(t.Context(), "flock", filepath.Join(h.root, "run/construct/lock"), "sh", "-c", "touch "+held+"; sleep 30")
	require.NoError(t, holder.Start())
	t.Cleanup(func() { _ = holder.Process.Kill(); _ = holder.Wait() })
	h.write("run/construct/holder", "bob from 192.0.2.7, since 2026-01-01T00:00:00Z, for release ff\n")
	require.Eventually(t, func() bool { _, err := os.Stat(held); return err == nil }, 10e9, 10e6)
	out, errOut, ok := h.run("", "rollback-worker", "--lock-wait", "1")
	require.False(t, ok)
	assert.Contains(t, out, "waiting for the lock held by bob from 192.0.2.7")
	assert.Contains(t, errOut, "gave up after 1 seconds: the lock is held by bob from 192.0.2.7, since 2026-01-01T00:00:00Z, for release ff")
}
