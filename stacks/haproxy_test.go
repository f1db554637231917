package stacks

import (
	"errors"
	"net/http"
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
// before as well, though a caller keeps a connection that it does not use.
func TestHAProxyTellsWhenItIsIdle(t *testing.T) {
	t.Parallel()
	s := startHAProxy(t, testDeployment())
	becomes := func(count string) {
		t.Helper()
		waitFor(t, 10*time.Second, count+" requests under way", func() error {
			if said := s.busy(); said != count {
				return errors.New(said)
			}
			return nil
		})
	}
	becomes("0")
	begun := make(chan error, 2)
	ask := func() { begun <- get(s.url("user-service", "?wait=5s")) }
	go ask()
	becomes("1")
	config := filepath.Join(s.dir, "haproxy.cfg")
	content, err := os.ReadFile(config)
	require.NoError(t, err)
	require.NoError(t, os.Remove(config))
	require.NoError(t, os.WriteFile(config, append(content, "# changed\n"...), 0o444))
	require.NoError(t, s.reload())
	kept := &http.Client{Transport: &http.Transport{}}
	answer, err := kept.Get(s.url("user-service", ""))
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	go ask()
	becomes("2") // one by each worker

	require.NoError(t, s.process.Process.Signal(syscall.SIGUSR1))
	time.Sleep(500 * time.Millisecond)
	assert.Equal(t, "2", s.busy(), "asked to end")
	require.NoError(t, <-begun)
	require.NoError(t, <-begun)
	becomes("0")
	kept.CloseIdleConnections()
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
