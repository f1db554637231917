package stacks

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// HAProxy takes a configuration that has changed, though it may write to none of
// its files, and ends what the worker before has begun.
func TestHAProxyTakesANewConfiguration(t *testing.T) {
	t.Parallel()
	s := startHAProxy(t, testDeployment())
	config := filepath.Join(s.dir, "haproxy.cfg")
	good, err := os.ReadFile(config)
	require.NoError(t, err)
	replace := func(content string) {
		require.NoError(t, os.Remove(config))
		require.NoError(t, os.WriteFile(config, []byte(content), 0o444))
	}
	first := s.worker(t)
	require.NoError(t, s.reload())
	assert.Equal(t, first, s.worker(t), "nothing has changed, and it was reloaded")

	replace("a word that it does not know\n")
	require.ErrorContains(t, s.reload(), "unknown keyword 'a'")
	assert.Equal(t, first, s.worker(t))

	begun := make(chan error)
	go func() { begun <- get(s.url("user-service", "?wait=3s")) }()
	for _, content := range []string{string(good) + "# changed\n", string(good) + "# again\n"} {
		replace(content)
		before := s.worker(t)
		require.NoError(t, s.reload())
		assert.NotEqual(t, before, s.worker(t))
		require.NoError(t, get(s.url("user-service", "")), "the new worker does not know where the service is")
	}
	require.NoError(t, <-begun, "a request that was under way")
}

// Whoever has HAProxy end is told until when a request is under way, in a worker
// before as well, though callers keep their connections.
func TestHAProxyTellsWhenItIsIdle(t *testing.T) {
	t.Parallel()
	s := startHAProxy(t, testDeployment())
	idle := func() bool { return s.busy(t) == "0" }
	assert.Eventually(t, idle, 5*time.Second, 100*time.Millisecond)
	begun := make(chan error, 2)
	ask := func() { begun <- get(s.url("user-service", "?wait=5s")) }
	go ask()
	require.Eventually(t, func() bool { return s.busy(t) == "1" }, 3*time.Second, 50*time.Millisecond)
	config := filepath.Join(s.dir, "haproxy.cfg")
	require.NoError(t, os.Chmod(config, 0o644))
	content, err := os.ReadFile(config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(config, append(content, "# changed\n"...), 0o444))
	require.NoError(t, s.reload())
	go ask()
	require.Eventually(t, func() bool { return s.busy(t) == "2" }, 3*time.Second, 50*time.Millisecond, "one by each worker")

	require.NoError(t, s.process.Process.Signal(syscall.SIGUSR1))
	time.Sleep(500 * time.Millisecond)
	assert.Equal(t, "2", s.busy(t), "asked to end")
	require.NoError(t, <-begun)
	require.NoError(t, <-begun)
	assert.Eventually(t, idle, 5*time.Second, 100*time.Millisecond)
}

// The engine's containers go on without it, and so does whoever asks them.
func TestHAProxyKeepsItsServicesWhileTheEngineIsAway(t *testing.T) {
	if testing.Short() {
		t.Skip("waits 40 s: by default HAProxy gives up after 30")
	}
	t.Parallel()
	s := startHAProxy(t, testDeployment())
	s.silent.Store(true)
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		require.NoError(t, get(s.url("user-service", "")))
	}
	s.silent.Store(false)
}
