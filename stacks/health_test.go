package stacks

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"testing"
)

// probe runs a Compose health check's command here.
func probe(t *testing.T, check []string) error {
	t.Helper()
	return exec.Command(tool(t, check[1]), check[2:]...).Run()
}

func TestHTTPHealth(t *testing.T) {
	t.Parallel()
	status := make(chan int, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/health" || r.Header.Get("X-Forwarded-For") == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(<-status)
	}))
	defer s.Close()
	port := s.Listener.Addr().(*net.TCPAddr).Port
	for code, healthy := range map[int]bool{200: true, 204: false, 404: false, 429: false, 503: false} {
		status <- code
		if err := probe(t, httpHealth(port, "/health")); (err == nil) != healthy {
			t.Errorf("status %d: %v, want healthy %v", code, err, healthy)
		}
	}
	if probe(t, httpHealth(freePort(t), "/health")) == nil {
		t.Error("healthy with nothing listening")
	}
}

func TestConnectedHealth(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	port := l.Addr().(*net.TCPAddr).Port
	check := connectedHealth([]int{1, port})
	if probe(t, check) == nil {
		t.Error("healthy without a connection")
	}
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := probe(t, check); err != nil {
		t.Errorf("unhealthy with a connection: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}
