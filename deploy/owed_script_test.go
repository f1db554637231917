package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startResolver is two of set-up's steps: systemd is told of the resolver's unit,
// and the resolver is started.
func (h *target) startResolver() (ok bool) {
	h.t.Helper()
	scripts, err := filepath.Abs("scripts")
	require.NoError(h.t, err)
	const step = `set -euo pipefail; here=$0; source "$here/lib/common.sh"; source "$here/setup/owed.sh"
		source "$here/setup/units.sh"; source "$here/setup/system.sh"
		reboot_at='' trust=() device=''; install_units; start_resolver`
	command := exec.CommandContext(h.t.Context(), "bash", "-c", step, scripts)
	command.Env = []string{"PATH=" + h.fake + ":" + os.Getenv("PATH"), "CONSTRUCT_ROOT=" + h.root, "FAKE=" + h.fake}
	out, err := command.CombinedOutput()
	h.t.Logf("%s", out)
	return err == nil
}

// A set-up that fails once its files are written has still done half of its work:
// the next one finds nothing to write, and does the rest all the same.
func TestSetUpDoesWhatAFailedOneOwes(t *testing.T) {
	t.Parallel()
	for name, failing := range map[string]string{
		"systemd does not read its files": "daemon-reload",
		"the resolver does not restart":   "restart construct-dns.service",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newTarget(t)
			systemctl := "#!/bin/bash\n[ \"$*\" = \"$(cat \"$FAKE/failing\" 2>/dev/null)\" ] && exit 1\n" +
				"echo \"$*\" >>\"$FAKE/systemctl.calls\"\n"
			require.NoError(t, os.WriteFile(filepath.Join(h.fake, "systemctl"), []byte(systemctl), 0o700)) //nolint:gosec // a program
			fault := filepath.Join(h.fake, "failing")
			require.NoError(t, os.WriteFile(fault, []byte(failing), 0o600))
			require.False(t, h.startResolver())
			require.NoError(t, os.Remove(fault))
			before := len(h.systemctlCalls())

			require.True(t, h.startResolver())
			assert.Contains(t, h.systemctlCalls()[before:], failing+"\n")
			assert.Contains(t, h.systemctlCalls()[before:], "restart construct-dns.service\n")

			before = len(h.systemctlCalls())
			require.True(t, h.startResolver())
			assert.NotContains(t, h.systemctlCalls()[before:], "restart")
			assert.NotContains(t, h.systemctlCalls()[before:], "reload")
		})
	}
}
