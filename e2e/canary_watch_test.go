package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// apiRequest is one request to a cloud, without its token.
type apiRequest struct{ line, body string }

// wire stands between the providers and a simulated cloud and keeps what they
// ask.
type wire struct {
	URL string

	mu       sync.Mutex
	requests []apiRequest
}

func newWire(t *testing.T, endpoint string) *wire {
	t.Helper()
	to, err := url.Parse(endpoint)
	require.NoError(t, err)
	w := &wire{}
	pass := httputil.NewSingleHostReverseProxy(to)
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(out, err.Error(), http.StatusBadRequest)
			return
		}
		header := r.Header.Clone()
		header.Del("Authorization")
		w.mu.Lock()
		w.requests = append(w.requests, apiRequest{fmt.Sprintf("%s %s %v", r.Method, r.URL, header), string(body)})
		w.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		pass.ServeHTTP(out, r)
	}))
	t.Cleanup(server.Close)
	w.URL = server.URL
	return w
}

func (w *wire) asked() []apiRequest {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.requests)
}

// watcher looks at the arguments and the environment of every process of this
// machine, again and again. Canaries are like nothing else, so whatever process
// has one has it from here.
type watcher struct {
	find *canaries
	// knows says which secrets a program, by name, may have in a variable.
	knows func(program, variable, secret string) bool

	leaks   map[string]bool
	looked  int
	younger map[int]time.Time // when a process was first seen
}

// watch looks until the function that it returns is called, which tells what
// was found and how many times something was looked at.
func watch(ctx context.Context, find *canaries, knows func(program, variable, secret string) bool) (stop func() (leaks []string, looked int)) {
	w := &watcher{find: find, knows: knows, leaks: map[string]bool{}, younger: map[int]time.Time{}}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			w.look()
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() ([]string, int) {
		cancel()
		<-done
		return slices.Sorted(maps.Keys(w.leaks)), w.looked
	}
}

// settled is when a process will not become another by exec any more.
const settled = time.Second

func (w *watcher) look() {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		first, known := w.younger[pid]
		if !known {
			first = time.Now()
			w.younger[pid] = first
		}
		if time.Since(first) < settled {
			w.process(entry.Name())
		}
	}
}

// process looks at one process. It may end at any moment, or be another user's.
func (w *watcher) process(pid string) {
	dir := filepath.Join("/proc", pid)
	program, err := os.Readlink(filepath.Join(dir, "exe"))
	if err != nil {
		return
	}
	program = filepath.Base(program)
	arguments, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
	environment, _ := os.ReadFile(filepath.Join(dir, "environ"))
	w.looked++
	for _, what := range w.find.in(string(arguments)) {
		w.leaks[fmt.Sprintf("arguments of %s: %s", program, what)] = true
	}
	w.environment(program, string(environment))
}

func (w *watcher) environment(program, environment string) {
	for pair := range strings.SplitSeq(environment, "\x00") {
		variable, value, _ := strings.Cut(pair, "=")
		for _, what := range w.find.in(value) {
			if secret, _, _ := strings.Cut(what, ", "); !w.knows(program, variable, secret) {
				w.leaks[fmt.Sprintf("variable %s of %s: %s", variable, program, what)] = true
			}
		}
	}
}

// A process that has a secret is found, unless it is one that needs it.
func TestProcessesWithSecretsAreFound(t *testing.T) {
	t.Parallel()
	const argument, variable, needed = "nPqZ7rTLmW3xYbVd9cKs", "Hf6sJw2gQeXr8uKp5tAa", "Bv9nCm3yLdZq7iRo4xEk"
	find := newCanaries(map[string]string{"argument": argument, "variable": variable, "needed": needed})
	stop := watch(t.Context(), find, func(_, _, secret string) bool { return secret == "needed" })
	sleep := exec.CommandContext(t.Context(), "sh", "-c", "sleep 0.5; :", argument)
	sleep.Env = append(os.Environ(), "PASSWORD="+variable, "TOKEN="+needed)
	require.NoError(t, sleep.Run())
	leaks, looked := stop()
	require.Positive(t, looked)
	require.NotEmpty(t, leaks)
	for _, leak := range leaks {
		require.Regexp(t, `^(arguments of .+: argument|variable PASSWORD of .+: variable), as it is$`, leak)
	}
	require.Condition(t, func() bool {
		return slices.ContainsFunc(leaks, func(l string) bool { return strings.HasPrefix(l, "arguments") }) &&
			slices.ContainsFunc(leaks, func(l string) bool { return strings.HasPrefix(l, "variable") })
	}, "%q", leaks)
}
