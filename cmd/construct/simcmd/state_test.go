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

// checkout is a state in an empty checkout, which becomes the working directory.
func checkout(t *testing.T) state {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte("name: construct\n"), 0o600))
	t.Chdir(dir)
	s, err := openState()
	require.NoError(t, err)
	return s
}

// A simulator that was killed (a reboot, the OOM killer) leaves a stack file
// with endpoints that nobody answers, and the state of resources that are gone.
func TestUpAfterTheSimulatorDied(t *testing.T) {
	s := checkout(t)
	var said []string
	step := func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
	start := func() string {
		said = nil
		info, err := s.start(t.Context(), rig.Dry, step)
		require.NoError(t, err)
		require.Equal(t, "dry", info.Hosts)
		return info.Control
	}
	stack, checkpoint := filepath.Join(s.root, "Pulumi.sim-hetzner.yaml"), s.path("backend/stacks/sim-hetzner.json")

	first := start()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		assert.NoError(t, s.stop(ctx))
	})
	assert.NotContains(t, strings.Join(said, "\n"), "died")
	require.NoError(t, os.MkdirAll(filepath.Dir(checkpoint), 0o700))
	for _, path := range []string{stack, checkpoint} {
		require.NoError(t, os.WriteFile(path, []byte("{}"), 0o600))
	}
	assert.Equal(t, first, start(), "a second up did not find the simulator")
	assert.FileExists(t, stack, "a running deployment lost its stack")

	pid, err := s.pid()
	require.NoError(t, err)
	suspend(t, pid)
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

// A simulator that somebody suspended ends like any other.
func TestStopEndsASuspendedSimulator(t *testing.T) {
	s := checkout(t)
	require.NoError(t, os.MkdirAll(s.dir, 0o700))
	_, err := s.serve(t.Context(), rig.Dry)
	require.NoError(t, err)
	pid, err := s.pid()
	require.NoError(t, err)
	t.Cleanup(func() {
		if s.owns(pid) {
			assert.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		}
	})
	suspend(t, pid)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(t, s.stop(ctx))
	assert.False(t, s.owns(pid))
}

// suspend stops a process, and returns when no thread of it runs any more: one
// that has not seen the signal yet still answers.
func suspend(t *testing.T, pid int) {
	t.Helper()
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	require.Eventually(t, func() bool {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		require.NoError(t, err)
		for _, thread := range threads {
			stat, err := os.ReadFile(thread)
			// "pid (name) state ...", and a name may have spaces: proc(5).
			if err != nil || !strings.HasPrefix(string(stat[strings.LastIndexByte(string(stat), ')')+1:]), " T") {
				return false
			}
		}
		return len(threads) > 0
	}, 10*time.Second, time.Millisecond)
}
