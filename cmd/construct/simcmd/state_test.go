package simcmd

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/sim/rig"
)

// TestMain lets the test's binary be the `construct` that a state starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "sim" {
		os.Exit(construct(os.Args[2:]))
	}
	os.Exit(m.Run())
}

func construct(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cmd := New()
	cmd.SetArgs(args)
	if cmd.ExecuteContext(ctx) != nil {
		return 1
	}
	return 0
}

// A simulator that was killed (a reboot, the OOM killer) leaves a stack file
// with endpoints that nobody answers, and the state of resources that are gone.
func TestUpAfterTheSimulatorDied(t *testing.T) {
	checkout := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(checkout, "Pulumi.yaml"), []byte("name: construct\n"), 0o600))
	t.Chdir(checkout)
	s, err := openState()
	require.NoError(t, err)
	var said []string
	step := func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
	start := func() string {
		said = nil
		info, err := s.start(t.Context(), rig.Dry, step)
		require.NoError(t, err)
		require.Equal(t, "dry", info.Hosts)
		return info.Control
	}
	stack, checkpoint := filepath.Join(checkout, "Pulumi.sim-hetzner.yaml"), s.path("backend/stacks/sim-hetzner.json")

	first := start()
	t.Cleanup(func() { assert.NoError(t, s.stop(context.WithoutCancel(t.Context()))) })
	assert.NotContains(t, strings.Join(said, "\n"), "died")
	require.NoError(t, os.MkdirAll(filepath.Dir(checkpoint), 0o700))
	for _, path := range []string{stack, checkpoint} {
		require.NoError(t, os.WriteFile(path, []byte("{}"), 0o600))
	}
	assert.Equal(t, first, start(), "a second up did not find the simulator")
	assert.FileExists(t, stack, "a running deployment lost its stack")

	pid, err := s.pid()
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	brief, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, _, err = s.find(brief, step)
	require.ErrorIs(t, err, context.DeadlineExceeded, "a simulator that is alive but silent was given up")
	require.NoError(t, syscall.Kill(pid, syscall.SIGCONT))
	assert.Equal(t, first, start())

	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	require.Eventually(t, func() bool { return !s.owns(pid) }, 10*time.Second, 10*time.Millisecond)
	require.FileExists(t, s.path("info.json"), "the killed simulator still describes itself")
	start()
	assert.Contains(t, strings.Join(said, "\n"), "died", "up does not say what it found")
	assert.NoFileExists(t, stack)
	assert.NoFileExists(t, checkpoint)

	require.NoError(t, runDown(t.Context(), t.Output()))
	assert.NoDirExists(t, s.dir)
}
