package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// upgradedHost has three processes: one as it was installed, one that runs
// what an upgrade has replaced if library says so, and a container's that does.
func upgradedHost(t *testing.T, kernel, library bool) *target {
	t.Helper()
	h := newTarget(t)
	h.write("etc/construct/hosts", "10.0.0.5\tdb.internal\n10.0.0.2\tgateway.internal\n")
	for name, text := range map[string]string{
		"systemctl": `echo "$*" >>"$FAKE/systemctl.calls"
			! flock -n "$CONSTRUCT_ROOT/run/construct/lock" true || echo unlocked >>"$FAKE/systemctl.calls"`,
		"ping": `[ ! -e "$FAKE/silent" ] || [ "${*: -1}" != "$(cat "$FAKE/silent")" ]`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(h.fake, name), []byte("#!/bin/bash\n"+text+"\n"), 0o700)) //nolint:gosec // a program
	}
	replaced := ""
	if library {
		replaced = " (deleted)"
	}
	h.process("self", "pid:[1]", "", "")
	h.process("1", "pid:[1]", "systemd", "7f00-7f01 r-xp 00000000 08:01 11  /usr/lib/x86_64-linux-gnu/libc.so.6\n"+
		"7f02-7f03 rw-s 00000000 00:01 12  /memfd:doublemapper (deleted)\n")
	h.process("20", "pid:[1]", "sshd", "7f00-7f01 r-xp 00000000 08:01 13  /usr/lib/x86_64-linux-gnu/libcrypto.so.3"+replaced+"\n")
	h.process("30", "pid:[2]", "postgres", "7f00-7f01 r-xp 00000000 08:01 14  /usr/lib/x86_64-linux-gnu/libssl.so.3 (deleted)\n")
	if kernel {
		h.write("run/reboot-required", "")
		h.write("run/reboot-required.pkgs", "linux-image-6.1.0-40-cloud-amd64\nlinux-image-6.1.0-40-cloud-amd64\n")
	}
	return h
}

func (h *target) process(name, namespace, command, maps string) {
	dir := filepath.Join(h.root, "proc", name)
	require.NoError(h.t, os.MkdirAll(filepath.Join(dir, "ns"), 0o755))
	require.NoError(h.t, os.Symlink(namespace, filepath.Join(dir, "ns", "pid")))
	h.write("proc/"+name+"/comm", command+"\n")
	if maps != "" {
		h.write("proc/"+name+"/maps", maps)
	}
}

// script runs one of the host's programs.
func (h *target) script(name string, args ...string) (out string, ok bool) {
	scripts, err := filepath.Abs("scripts")
	require.NoError(h.t, err)
	command := exec.CommandContext(h.t.Context(), filepath.Join(scripts, name), args...)
	command.Env = []string{
		"PATH=" + h.fake + ":" + os.Getenv("PATH"), "CONSTRUCT_ROOT=" + h.root, "CONSTRUCT_WHO=planned reboot",
		"CONSTRUCT_LIB=" + filepath.Join(scripts, "lib"), "CONSTRUCT_REBOOT_SECONDS=0", "FAKE=" + h.fake,
	}
	printed, err := command.CombinedOutput()
	return string(printed), err == nil
}

func TestRebootScript(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kernel, library bool
		silent          string // a peer that does not answer
		reboots         bool
		says            string
	}{
		"nothing waits":                  {says: "no reboot is needed"},
		"a kernel waits":                 {kernel: true, reboots: true, says: kernelReason},
		"a library waits":                {library: true, reboots: true, says: "replaced files are still used by: sshd"},
		"another server is down":         {kernel: true, silent: "10.0.0.2", says: "construct-test-db-1: not rebooting: gateway.internal (10.0.0.2) does not answer"},
		"another is down, nothing waits": {silent: "10.0.0.2", says: "no reboot is needed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := upgradedHost(t, c.kernel, c.library)
			if c.silent != "" {
				require.NoError(t, os.WriteFile(filepath.Join(h.fake, "silent"), []byte(c.silent), 0o600))
			}
			out, ok := h.script("reboot.sh")
			assert.Equal(t, c.silent == "" || !c.kernel, ok, out)
			assert.Contains(t, out, c.says)
			if !c.reboots {
				assert.Empty(t, h.systemctlCalls())
				return
			}
			assert.Equal(t, "reboot\n", h.systemctlCalls(), "under the lock, so that no release is cut")
			assert.Contains(t, h.read("var/lib/construct/history"), "reboot\t-\t-\t"+c.says+"\n")
		})
	}
}

const kernelReason = "installed: linux-image-6.1.0-40-cloud-amd64"

func TestRebootScriptOnlySays(t *testing.T) {
	t.Parallel()
	h := upgradedHost(t, true, false)
	out, ok := h.script("reboot.sh", "--check")
	assert.True(t, ok)
	assert.Equal(t, kernelReason+"\n", out)
	assert.Empty(t, h.systemctlCalls())
}

// What monitoring is told agrees with what the reboot does.
func TestMetricsOfUpgrades(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kernel, library bool
		required        string
	}{
		"nothing waits":   {false, false, "0"},
		"a kernel waits":  {true, false, "1"},
		"a library waits": {false, true, "1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := upgradedHost(t, c.kernel, c.library)
			h.exporters(t, "id-node-exporter\n")
			metrics := h.hostMetrics(t)
			assert.Contains(t, metrics, "\nnode_reboot_required "+c.required+"\n")
			assert.Contains(t, metrics, "\nconstruct_upgrades_success_time_seconds 0\n")
			require.NoError(t, os.MkdirAll(filepath.Join(h.root, "var/lib/apt/periodic"), 0o755))
			h.write("var/lib/apt/periodic/unattended-upgrades-stamp", "")
			assert.Regexp(t, `\nconstruct_upgrades_success_time_seconds [1-9]\d{9}\n`, h.hostMetrics(t))
		})
	}
}
