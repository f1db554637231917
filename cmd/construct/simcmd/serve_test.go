package simcmd

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/sim/control"
	"github.com/construct-server/infra/sim/rig"
)

// A checkout in which `sim serve` ran looks as before.
func TestServeLeavesNothing(t *testing.T) {
	checkout := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(checkout, "Pulumi.yaml"), []byte("name: construct\n"), 0o600))
	t.Chdir(checkout)
	infoPath := filepath.Join(checkout, "info.json")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	cmd := Serve()
	cmd.SetArgs([]string{"--hosts", rig.Dry, "--info", infoPath})
	cmd.SetOut(io.Discard)
	cmd.SetErr(t.Output())
	ended := make(chan error, 1)
	go func() { ended <- cmd.ExecuteContext(ctx) }()

	var info control.Info
	require.Eventually(t, func() bool {
		data, err := os.ReadFile(infoPath)
		return err == nil && json.Unmarshal(data, &info) == nil
	}, 30*time.Second, 20*time.Millisecond)
	assert.Equal(t, "dry", info.Hosts)
	stop()
	require.NoError(t, <-ended)

	entries, err := os.ReadDir(checkout)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	assert.Equal(t, []string{"Pulumi.yaml"}, names)
}
