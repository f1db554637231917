package e2e

import (
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pager is somebody's alert receiver on the simulated Internet.
type pager struct {
	url   string // a secret for its token
	token string

	mu     sync.Mutex
	bodies []string
}

// newPager listens on an address that the hosts can dial.
func newPager(t *testing.T, address string) *pager {
	t.Helper()
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", net.JoinHostPort(address, "0"))
	require.NoError(t, err)
	p := &pager{token: rand.Text()}
	p.url = "http://" + listener.Addr().String() + "/alerts/" + p.token
	server := &http.Server{Handler: p, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }() // ends with Close
	t.Cleanup(func() { _ = server.Close() })
	return p
}

// ServeHTTP implements http.Handler.
func (p *pager) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return // Alertmanager went away and will try again
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bodies = append(p.bodies, string(body))
}

// got tells whether one post has all the words.
func (p *pager) got(words ...string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, body := range p.bodies {
		missing := 0
		for _, word := range words {
			if !strings.Contains(body, word) {
				missing++
			}
		}
		if missing == 0 {
			return true
		}
	}
	return false
}
