package deploy

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The gateway knows a host by either of its keys, and names one that has neither.
func TestReachComparesTheHostKey(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ssh-keyscan"); err != nil {
		t.Skip("ssh-keyscan is not installed (make packages)")
	}
	keys, others := testHostKeys(t, testSeed, ""), testHostKeys(t, otherSeed, "")
	h := startSSHD(t, keys)
	reach := func(public string) (out string, ok bool) {
		said, err := exec.CommandContext(t.Context(), "bash", filepath.Join("scripts", "reach.sh"),
			"construct-prod-db-1", "127.0.0.1", h.port, "60", public).CombinedOutput()
		return string(said), err == nil
	}
	for _, public := range []string{keys.Main.Public, keys.Spare.Public} {
		out, ok := reach(public)
		require.True(t, ok, out)
	}
	out, ok := reach(others.Spare.Public)
	require.False(t, ok)
	assert.Contains(t, out, "construct-prod-db-1: the machine at 127.0.0.1 shows the host key '"+keys.Spare.Public+"', expected '"+others.Spare.Public+"'")
}
