package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNetworkScript(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	lib, err := filepath.Abs("scripts/lib")
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Join(h.root, "usr/local/lib"), 0o755))
	require.NoError(t, os.Symlink(lib, filepath.Join(h.root, "usr/local/lib/construct")))
	h.write("etc/hosts", "127.0.0.1\tlocalhost\n# construct begin: old\n10.0.0.9\tgone.internal\n# construct end\n::1\tip6\n")
	systemctl := filepath.Join(h.fake, "systemctl")
	require.NoError(t, os.WriteFile(systemctl, []byte("#!/bin/sh\necho \"$*\" >>\"$FAKE/signals\"\n"), 0o700)) //nolint:gosec // a program

	run := func() {
		command := exec.CommandContext(t.Context(), "bash", "scripts/network.sh", "--private", "10.0.0.5", "--public", "203.0.113.5", "--mtu", "1450",
			"--peer", "gateway.internal=10.0.0.2", "--peer", "db.internal=10.0.0.5")
		command.Env = []string{"PATH=" + h.fake + ":" + os.Getenv("PATH"), "CONSTRUCT_ROOT=" + h.root, "FAKE=" + h.fake}
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	run()
	assert.Equal(t, "10.0.0.5\tdb.internal\n10.0.0.2\tgateway.internal\n", h.read("etc/construct/hosts"))
	assert.Equal(t, "CONSTRUCT_PRIVATE_IP=10.0.0.5\nCONSTRUCT_PUBLIC_IP=203.0.113.5\nCONSTRUCT_MTU=1450\n", h.read("etc/construct/host.env"))
	want := "127.0.0.1\tlocalhost\n::1\tip6\n# construct begin: a copy of /etc/construct/hosts, changes here are lost\n" +
		"10.0.0.5\tdb.internal\n10.0.0.2\tgateway.internal\n# construct end\n"
	assert.Equal(t, want, h.read("etc/hosts"))
	run()
	assert.Equal(t, want, h.read("etc/hosts"))
	signals, err := os.ReadFile(filepath.Join(h.fake, "signals"))
	require.NoError(t, err)
	assert.Equal(t, "kill --kill-whom=main --signal=HUP construct-dns.service\n", string(signals), "once: the second run changed nothing")
}
