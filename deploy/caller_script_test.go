package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Releases are signed with the comment of the key that logged in, among those of
// several operators, as sshd and sudo leave it to be found.
func TestCallerIsTheKeysComment(t *testing.T) {
	t.Parallel()
	h := accessHost(t)
	const third = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEJa0TrxKd4dBwJxXl3pWl6vAIJWyK8dBV1ajX7yQd2T"
	h.write(adminKeys, "# ops\n"+testPublicKey+"\n"+
		"restrict,pty "+otherPublicKey+"\n"+third+" Eve $(reboot) <eve@example.com>\n"+third[:len(third)-1]+"U\n")
	for name, c := range map[string]struct{ key, want string }{
		"the first":          {testPublicKey, "alice@laptop from 192.0.2.7"},
		"behind options":     {otherPublicKey, "bob@example.com from 192.0.2.7"},
		"a careless comment": {third, "Eve___reboot___eve@example.com_ from 192.0.2.7"},
		"none":               {third[:len(third)-1] + "U", "sudoer from 192.0.2.7"},
		"a key that is gone": {third[:len(third)-1] + "V", "sudoer from 192.0.2.7"},
	} {
		t.Run(name, func(t *testing.T) {
			// Not side by side: one file says who is there.
			session := append(h.loggedInWith(c.key), "SUDO_USER=sudoer")
			assert.Equal(t, c.want+"\n", h.caller(t, session))
		})
	}
}

// caller asks below a session's shell, with the environment that sudo leaves.
func (h *target) caller(t *testing.T, session []string) string {
	t.Helper()
	common, err := filepath.Abs("scripts/lib/common.sh")
	require.NoError(t, err)
	const sudo = `env -i PATH="$PATH" CONSTRUCT_ROOT="$CONSTRUCT_ROOT" SUDO_USER="$SUDO_USER" bash -c 'source "$0"; caller' "$0"; exit`
	command := exec.CommandContext(t.Context(), "bash", "-c", sudo, common)
	command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "CONSTRUCT_ROOT=" + h.root}, session...)
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}
