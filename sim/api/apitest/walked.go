package apitest

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/construct-server/infra/sim/api"
)

// Walked are the routes on which an emulator answered its cloud's own client
// with success. It is safe for concurrent use.
type Walked struct {
	// Client is in the user agent of the requests that count.
	Client string

	mu     sync.Mutex
	routes map[string]bool // "METHOD /route/{id}"
}

// Wrap records what a cloud answers.
func (w *Walked) Wrap(cloud api.Cloud) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		route := cloud.Route(r) // before the cloud changes the request
		answer := &status{ResponseWriter: out, code: http.StatusOK}
		cloud.ServeHTTP(answer, r)
		if answer.code >= http.StatusBadRequest || !strings.Contains(r.UserAgent(), w.Client) {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.routes == nil {
			w.routes = map[string]bool{}
		}
		w.routes[route] = true
	})
}

// Main runs a package's tests and compares the routes with those written down
// in testdata/walked.txt, one a line and sorted. With update it writes them
// down. A run of some of the tests is not compared.
func (w *Walked) Main(m *testing.M, update *bool) int {
	code := m.Run()
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if flag.Lookup(name).Value.String() != "" {
			return code
		}
	}
	if code != 0 {
		return code
	}
	if err := w.compare(filepath.Join("testdata", "walked.txt"), *update); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func (w *Walked) compare(path string, update bool) error {
	w.mu.Lock()
	text := strings.Join(slices.Sorted(maps.Keys(w.routes)), "\n") + "\n"
	w.mu.Unlock()
	if update {
		return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)) //nolint:gosec // they are meant to be committed
	}
	want, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the routes that were walked (make golden): %w", err)
	}
	if string(want) != text {
		return fmt.Errorf("%s: the tests walk other routes (make golden; want)\n%s", path, text)
	}
	return nil
}

type status struct {
	http.ResponseWriter
	code int
}

// WriteHeader implements http.ResponseWriter.
func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}
