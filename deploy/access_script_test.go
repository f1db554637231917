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

const (
	otherSeed = "f0e1d2c3b4a5968778695a4b3c2d1e0ff0e1d2c3b4a5968778695a4b3c2d1e0f"
	adminKeys = "home/construct/.ssh/authorized_keys"
)

func testHostKeys(t *testing.T, seed, previous string) HostKeys {
	t.Helper()
	keys, err := NewHostKeys(seed, previous, "construct-prod-db-1")
	require.NoError(t, err)
	return keys
}

// accessHost is a host on which the first operator logs in, with programs that
// only pretend where root or systemd would be needed.
func accessHost(t *testing.T) *target {
	t.Helper()
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("ssh-keygen is not installed (make packages)")
	}
	h := sshHost(t, "")
	h.prepareAccess()
	return h
}

func (h *target) prepareAccess() {
	for name, text := range map[string]string{
		"getent": `[ "$*" = "passwd construct" ] && echo construct:x:1000:1000::/home/construct:/bin/bash`,
		"chown":  `echo "$*" >>"$FAKE/chown.calls"`,
	} {
		require.NoError(h.t, os.WriteFile(filepath.Join(h.fake, name), []byte("#!/bin/bash\n"+text+"\n"), 0o700)) //nolint:gosec // a program
	}
	require.NoError(h.t, os.MkdirAll(filepath.Join(h.root, filepath.Dir(adminKeys)), 0o700))
	h.write(adminKeys, testPublicKey+"\n")
}

// loggedInWith is the environment that sshd gives to who came with this key.
func (h *target) loggedInWith(line string) []string {
	words := strings.Fields(line)
	h.write("auth-info", "publickey "+strings.Join(words[:2], " ")+"\n")
	return []string{"SSH_CONNECTION=192.0.2.7 40000 10.0.0.5 22", "SSH_USER_AUTH=" + filepath.Join(h.root, "auth-info")}
}

// access runs construct-access as an operator who logged in with a key.
func (h *target) access(as string, keys HostKeys, lines ...string) (out string, ok bool) {
	scripts, err := filepath.Abs("scripts")
	require.NoError(h.t, err)
	fingerprints, err := keys.fingerprints()
	require.NoError(h.t, err)
	args := []string{filepath.Join(scripts, "access.sh"), "--admin", "construct"}
	for _, f := range fingerprints {
		args = append(args, "--host-key", f)
	}
	for _, line := range lines {
		args = append(args, "--key", line)
	}
	command := exec.CommandContext(h.t.Context(), "bash", args...)
	command.Env = append([]string{
		"PATH=" + h.fake + ":" + os.Getenv("PATH"), "CONSTRUCT_ROOT=" + h.root, "CONSTRUCT_LIB=" + filepath.Join(scripts, "lib"), "FAKE=" + h.fake,
	}, h.loggedInWith(as)...)
	command.Stdin = strings.NewReader("# server 1\n" + keys.Main.PrivatePEM + keys.Spare.PrivatePEM)
	printed, err := command.CombinedOutput()
	return string(printed), err == nil
}

// Somebody joins, somebody leaves, and whoever added their own key by hand is out.
func TestAccessWritesTheConfiguredKeys(t *testing.T) {
	t.Parallel()
	h := accessHost(t)
	keys := testHostKeys(t, testSeed, "")
	byHand := strings.Replace(otherPublicKey, "bob@example.com", "mallory", 1)
	h.write(adminKeys, testPublicKey+"\n"+byHand+"\n")

	out, ok := h.access(testPublicKey, keys, testPublicKey, otherPublicKey)
	require.True(t, ok, out)
	assert.Equal(t, testPublicKey+"\n"+otherPublicKey+"\n", h.read(adminKeys))
	info, err := os.Stat(filepath.Join(h.root, adminKeys))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
	assert.Regexp(t, `^construct: /.*/\.authorized_keys\.`, h.read2(h.fake, "chown.calls"), "before it is in force")

	out, ok = h.access(otherPublicKey, keys, otherPublicKey)
	require.True(t, ok, out)
	assert.Equal(t, otherPublicKey+"\n", h.read(adminKeys), "the old key is gone, as the new one has connected")
	out, ok = h.access(otherPublicKey, keys, otherPublicKey)
	require.True(t, ok, out)
	assert.Empty(t, out, "nothing to do")
	assert.Equal(t, 2, strings.Count(h.read2(h.fake, "chown.calls"), "\n"))
}

func (h *target) read2(dir, name string) string {
	content, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(h.t, err)
	return string(content)
}

// A list without the key that brought it would lock its operator out: the new
// keys log in, the own one stays, and the operator is told what to do.
func TestAccessLocksNobodyOut(t *testing.T) {
	t.Parallel()
	h := accessHost(t)
	keys := testHostKeys(t, testSeed, "")
	out, ok := h.access(testPublicKey, keys, otherPublicKey)
	require.False(t, ok)
	assert.Contains(t, out, "construct-test-db-1: the keys of construct:ssh log in now")
	assert.Contains(t, out, "not among them: alice@laptop from 192.0.2.7")
	assert.Contains(t, out, "run pulumi up again")
	assert.Equal(t, otherPublicKey+"\n"+testPublicKey+"\n", h.read(adminKeys))

	out, ok = h.access(otherPublicKey, keys, otherPublicKey)
	require.True(t, ok, out)
	assert.Equal(t, otherPublicKey+"\n", h.read(adminKeys), "once a configured key has connected")

	out, ok = h.access(testPublicKey, keys, otherPublicKey)
	require.False(t, ok)
	assert.Contains(t, out, "this connection's key is not in")
	out, ok = h.access(otherPublicKey, keys)
	require.False(t, ok)
	assert.Contains(t, out, "no key is to log in; nothing was changed")
	assert.Equal(t, otherPublicKey+"\n", h.read(adminKeys))
}

// A real sshd, before, between and after: at every moment the pinned key is
// shown, and in the end neither of the old ones.
func TestHostKeysAreReplaced(t *testing.T) {
	t.Parallel()
	before, between, after := testHostKeys(t, testSeed, ""), testHostKeys(t, otherSeed, testSeed), testHostKeys(t, otherSeed, "")
	h := startSSHD(t, before)
	h.prepareAccess()
	require.NoError(t, os.WriteFile(filepath.Join(h.fake, "sshd"),
		[]byte("#!/bin/bash\nexec "+sshdProgram(t)+` -f "$CONSTRUCT_ROOT/sshd_config" "$@"`+"\n"), 0o700)) //nolint:gosec // a program
	open, err := h.login("127.0.0.1", h.admin, before.Pinned, h.signer(h.seed))
	require.NoError(t, err)
	defer func() { _ = open.Close() }()
	out, ok := h.access(testPublicKey, before, testPublicKey)
	require.True(t, ok, out)
	assert.Empty(t, h.systemctlCalls(), "they are what they were")

	assert.True(t, h.shows(between.Pinned), "the first step of the rotation is let in")
	out, ok = h.access(testPublicKey, between, testPublicKey)
	require.True(t, ok, out)
	assert.Eventually(t, func() bool { return h.shows(between.Main.Public) }, eventually, tick)
	assert.True(t, h.shows(between.Pinned), "and every later one")
	assert.False(t, h.shows(before.Pinned), "the old key is not shown any more")

	out, ok = h.access(testPublicKey, after, testPublicKey)
	require.True(t, ok, out)
	assert.Eventually(t, func() bool { return h.shows(after.Spare.Public) }, eventually, tick)
	assert.True(t, h.shows(after.Pinned))
	assert.False(t, h.shows(between.Pinned), "nothing is left of the old seed")
	assert.Equal(t, after.Spare.Public+"\n", h.read("etc/ssh/ssh_host_ecdsa_key.pub"))
	_, _, err = open.SendRequest("keepalive@openssh.com", true, nil)
	require.NoError(t, err, "no connection was cut")
	assert.Equal(t, "reload ssh.service\nreload ssh.service\n", h.systemctlCalls())
}

// Keys that sshd refuses are never in force, and a run that was killed before
// sshd had read the new ones is made up for.
func TestHostKeysAreReplacedWhollyOrNotAtAll(t *testing.T) {
	t.Parallel()
	before, after := testHostKeys(t, testSeed, ""), testHostKeys(t, otherSeed, testSeed)
	h := accessHost(t)
	out, ok := h.access(testPublicKey, before, testPublicKey)
	require.True(t, ok, out)
	require.Equal(t, before.Main.PrivatePEM, h.read("etc/ssh/ssh_host_ed25519_key"))

	h.write("etc/ssh/sshd_config.d/50-other.conf", "Nonsense yes\n")
	out, ok = h.access(testPublicKey, after, testPublicKey)
	require.False(t, ok)
	assert.Contains(t, out, "construct-test-db-1: the host keys are what they were, sshd refused the new ones: ")
	assert.Equal(t, before.Main.PrivatePEM, h.read("etc/ssh/ssh_host_ed25519_key"))
	assert.Equal(t, before.Main.Public+"\n", h.read("etc/ssh/ssh_host_ed25519_key.pub"))

	h.write("etc/ssh/sshd_config.d/50-other.conf", "")
	h.write("etc/ssh/ssh_host_ed25519_key", after.Main.PrivatePEM) // and the power went
	h.write("run/construct/host-keys-changed", "")
	reloads := strings.Count(h.systemctlCalls(), "reload")
	out, ok = h.access(testPublicKey, after, testPublicKey)
	require.True(t, ok, out)
	assert.Equal(t, reloads+1, strings.Count(h.systemctlCalls(), "reload"))

	other := after
	other.Main = before.Main
	wrong := other
	wrong.Main.PrivatePEM = after.Main.PrivatePEM
	out, ok = h.access(testPublicKey, wrong, testPublicKey)
	require.False(t, ok)
	assert.Contains(t, out, "a host key is not the one that was announced; nothing was changed")
}
