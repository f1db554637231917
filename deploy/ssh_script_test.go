package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

const sshdFile = "etc/ssh/sshd_config.d/00-construct.conf"

// fakeSSHD answers -T as sshd does, first values first and lists added up, and
// refuses a file that says "Nonsense".
const fakeSSHD = `#!/bin/bash
cd "$CONSTRUCT_ROOT/etc/ssh" || exit
config=$(cat sshd_config.d/*.conf sshd_config)
! grep -n Nonsense <<<"$config" || exit 255
[ "$1" = -t ] || awk '
  /^[A-Z]/ { key = tolower($1); $1 = ""; sub(/^ /, "")
    if (key ~ /^(port|hostkey|allowusers|acceptenv)$/ || !seen[key]++) print key, $0 }' <<<"$config"
`

// sshHost is a host with the user data's configuration and Debian's own.
func sshHost(t *testing.T, systemctl string) *target {
	t.Helper()
	h := newTarget(t)
	require.NoError(t, os.MkdirAll(filepath.Join(h.root, "etc/ssh/sshd_config.d"), 0o755))
	args := testUserData()
	h.write(sshdFile, args.sshdConfig())
	h.write("etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\nAcceptEnv LANG LC_*\nUsePAM yes\n")
	for name, text := range map[string]string{
		"sshd": fakeSSHD, "systemctl": "#!/bin/bash\necho \"$*\" >>\"$FAKE/systemctl.calls\"\n" + systemctl,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(h.fake, name), []byte(text), 0o700)) //nolint:gosec // a program
	}
	return h
}

// configureSSH is set-up's step, on a host that forwards to these places.
func (h *target) configureSSH(forward ...string) (out string, ok bool) {
	scripts, err := filepath.Abs("scripts")
	require.NoError(h.t, err)
	const step = `set -euo pipefail; here=$0; source "$here/lib/common.sh"; source "$here/setup/owed.sh"; source "$here/setup/ssh.sh"
		admin=construct ssh_port=22 forward=("$@"); configure_ssh`
	command := exec.CommandContext(h.t.Context(), "bash", append([]string{"-c", step, scripts}, forward...)...)
	command.Env = []string{"PATH=" + h.fake + ":" + os.Getenv("PATH"), "CONSTRUCT_ROOT=" + h.root, "FAKE=" + h.fake}
	printed, err := command.CombinedOutput()
	return string(printed), err == nil
}

func (h *target) systemctlCalls() string {
	calls, err := os.ReadFile(filepath.Join(h.fake, "systemctl.calls"))
	if !os.IsNotExist(err) {
		require.NoError(h.t, err)
	}
	return string(calls)
}

func TestSSHScript(t *testing.T) {
	t.Parallel()
	h := sshHost(t, "")
	out, ok := h.configureSSH("*:22")
	require.True(t, ok, out)
	config := h.read(sshdFile)
	assert.Contains(t, config, "\nAllowTcpForwarding local\nPermitOpen *:22\n")
	assert.NotRegexp(t, `@[A-Z]+@`, config)
	assert.Contains(t, h.read("etc/ssh/sshd_config"), "#AcceptEnv LANG")
	out, ok = h.configureSSH("*:22")
	require.True(t, ok, out)
	assert.Equal(t, "reload ssh.service\n", h.systemctlCalls(), "once: the second run changed nothing")

	out, ok = h.configureSSH()
	require.True(t, ok, out)
	assert.Contains(t, h.read(sshdFile), "\nAllowTcpForwarding no\n")
	assert.NotContains(t, h.read(sshdFile), "PermitOpen")
}

// What would leave a host with an sshd that is closed to its operator, or more
// open than it says, is never left in force.
func TestSSHScriptPutsTheOldFileBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ other, systemctl, says string }{
		"sshd refuses it":       {"Nonsense yes\n", "", "Nonsense yes"},
		"another user may too":  {"AllowUsers mallory\n", "", "allowusers is 'construct mallory', expected 'construct'"},
		"another port is open":  {"Port 2222\n", "", "port is '22 2222', expected '22'"},
		"variables are taken":   {"AcceptEnv LD_*\n", "", "acceptenv is 'LD_*', expected ''"},
		"the reload goes wrong": {"", "exit 1", "the new one was refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := sshHost(t, c.systemctl)
			h.write("etc/ssh/sshd_config.d/50-other.conf", c.other)
			before := h.read(sshdFile)
			out, ok := h.configureSSH("*:22")
			assert.False(t, ok)
			assert.Contains(t, out, "construct-test-db-1: sshd keeps its configuration")
			assert.Contains(t, out, c.says)
			assert.Equal(t, before, h.read(sshdFile))
		})
	}
}

// A file that appears later, beside a configuration that is in force.
func TestSSHScriptNoticesAWeakerFile(t *testing.T) {
	t.Parallel()
	h := sshHost(t, "")
	_, ok := h.configureSSH()
	require.True(t, ok)
	h.write("etc/ssh/sshd_config.d/00-a.conf", "PasswordAuthentication yes\n")
	out, ok := h.configureSSH()
	assert.False(t, ok)
	assert.Contains(t, out, "passwordauthentication is 'yes', expected 'no'")
}

// Set-up replaces what the user data wrote, and takes nothing back of it.
func TestSetUpKeepsWhatTheUserDataSays(t *testing.T) {
	t.Parallel()
	h := sshHost(t, "")
	out, ok := h.configureSSH("*:22")
	require.True(t, ok, out)
	args := testUserData()
	for line := range strings.Lines(args.sshdConfig()) {
		assert.Contains(t, h.read(sshdFile), "\n"+line)
	}
}

// effective is what the real sshd makes of the configuration.
func effective(t *testing.T, forward ...string) map[string]string {
	t.Helper()
	sshd := sshdProgram(t)
	h := sshHost(t, "")
	out, ok := h.configureSSH(forward...)
	require.True(t, ok, out)
	private, _, err := HostKey(testSeed, "any")
	require.NoError(t, err)
	h.write("etc/ssh/ssh_host_ed25519_key", private)
	h.write("sshd_config", strings.ReplaceAll(h.read(sshdFile), "/etc/ssh/ssh_host_", filepath.Join(h.root, "etc/ssh/ssh_host_")))
	said, err := exec.CommandContext(t.Context(), sshd, "-T", "-f", filepath.Join(h.root, "sshd_config")).CombinedOutput()
	if strings.Contains(strings.ToLower(string(said)), "privilege separation") {
		t.Skipf("sshd is installed, but not set up: %s", said)
	}
	require.NoError(t, err, "%s", said)
	values := map[string]string{}
	for line := range strings.Lines(string(said)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		values[key] = strings.TrimSpace(values[key] + " " + value)
	}
	return values
}

// sshdProgram is a real sshd, which wants to be called by its full name.
func sshdProgram(t *testing.T) string {
	t.Helper()
	sshd, err := exec.LookPath("sshd")
	if err != nil {
		if sshd = "/usr/sbin/sshd"; !fileExists(sshd) {
			t.Skip("sshd is not installed (make packages)")
		}
	}
	return sshd
}

func fileExists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func TestSSHDTakesItsConfiguration(t *testing.T) {
	t.Parallel()
	got := effective(t, "*:3000", "*:9090")
	for key, want := range map[string]string{
		"port": "22", "allowusers": "construct", "permitrootlogin": "no", "authenticationmethods": "publickey",
		"passwordauthentication": "no", "kbdinteractiveauthentication": "no", "gssapiauthentication": "no", "hostbasedauthentication": "no",
		"permitemptypasswords": "no", "permituserenvironment": "no", "strictmodes": "yes", "authorizedkeysfile": ".ssh/authorized_keys",
		"exposeauthinfo": "yes", "loglevel": "VERBOSE", "acceptenv": "",
		"maxstartups": "100:30:200", "persourcemaxstartups": "50", "maxsessions": "50", "logingracetime": "30",
		"allowtcpforwarding": "local", "permitopen": "*:3000 *:9090", "gatewayports": "no",
		"allowagentforwarding": "no", "allowstreamlocalforwarding": "no", "permittunnel": "no", "x11forwarding": "no",
	} {
		assert.Equal(t, want, got[key], key)
	}
	closed := effective(t)
	assert.Equal(t, "no", closed["allowtcpforwarding"])
	for _, key := range []string{"kexalgorithms", "ciphers", "macs", "hostkeyalgorithms", "pubkeyacceptedalgorithms"} {
		assert.NotEmpty(t, got[key])
		for _, weak := range []string{"sha1", "cbc", "3des", "arcfour", "md5", "dss", "diffie-hellman-group1", "umac-64", "ssh-rsa"} {
			assert.NotContains(t, got[key], weak, key)
		}
	}
}

// Go's client, which Pulumi's provider is built with, has an algorithm of each
// kind in common with sshd's list.
func TestTheProvidersClientIsServed(t *testing.T) {
	t.Parallel()
	text, err := script("files/sshd.conf")
	require.NoError(t, err)
	supported := ssh.SupportedAlgorithms()
	for keyword, mine := range map[string][]string{
		"KexAlgorithms": supported.KeyExchanges, "Ciphers": supported.Ciphers, "MACs": supported.MACs,
		"HostKeyAlgorithms": supported.HostKeys, "PubkeyAcceptedAlgorithms": supported.PublicKeyAuths,
	} {
		_, list, found := strings.Cut(text, "\n"+keyword+" ")
		require.True(t, found, keyword)
		list, _, _ = strings.Cut(list, "\n")
		common := 0
		for _, name := range mine {
			if strings.Contains(","+list+",", ","+name+",") {
				common++
			}
		}
		assert.Positive(t, common, "%s: the provider has none of %s", keyword, list)
	}
}
