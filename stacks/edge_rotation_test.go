package stacks

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// checker is a gateway as the edge relies on it: it knows one kind of token, and
// shows its metrics, as all that is not public, to whoever has one.
type checker struct {
	name, token string
	then        http.Handler

	mu    sync.Mutex
	asked []string // method, path and what else the edge sent, of each /metrics
}

func (c *checker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/metrics" {
		c.mu.Lock()
		c.asked = append(c.asked, fmt.Sprintf("%s length %d for %q, X-User-Id %q", r.Method, r.ContentLength, r.Header.Get("X-Forwarded-For"), r.Header.Get("X-User-Id")))
		c.mu.Unlock()
	}
	public := r.URL.Path == "/api/v1/auth/challenge" || r.URL.Path == "/health"
	if !public && r.Header.Get("Authorization") != "Bearer "+c.token {
		http.Error(w, "token of another pair", http.StatusUnauthorized)
		return
	}
	if r.URL.Path == "/metrics" {
		_, _ = fmt.Fprintln(w, strings.Repeat("gateway_requests_total 1\n", 2000))
		return
	}
	c.then.ServeHTTP(w, r)
}

// questions are those about tokens so far; they are forgotten.
func (c *checker) questions() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := c.asked
	c.asked = nil
	return asked
}

func rotating() Deployment {
	d := wideOpen()
	d.Secrets.JWTPreviousPublicKey = variants()["rotating"].Secrets.JWTPreviousPublicKey
	return d
}

// pairs is an edge before the gateways of two key pairs.
func pairs(t *testing.T, d Deployment, then func(name string) http.Handler) (e *edge, present, previous *checker) {
	t.Helper()
	present = &checker{name: "gateway", token: "new", then: then("gateway")}
	previous = &checker{name: "previous", token: "old", then: then("previous")}
	return startEdgeBefore(t, d, upstreams{gateway: serve(t, present), previous: serve(t, previous)}), present, previous
}

// While the key pair is changed, a token of either is good, each at its own
// gateway, and the request arrives there as it was sent. The question about it
// is one GET, without a body, in the client's name.
func TestEdgeKnowsTwoKeyPairs(t *testing.T) {
	t.Parallel()
	e, present, previous := pairs(t, rotating(), echo)
	body := strings.Repeat("x", 200_000)
	ask := `GET length 0 for "127.0.0.1", X-User-Id ""`
	for _, protocol := range protocols {
		for _, c := range []struct {
			method, path, token, body string
			status                    int
			upstream                  string
			asked                     []string
		}{
			{"GET", "/api/v1/users/me?x=1", "new", "", 200, "gateway", []string{ask}},
			{"GET", "/api/v1/users/me?x=1", "old", "", 200, "previous", []string{ask}},
			{"GET", "/api/v1/users/me", "forged", "", 401, "", []string{ask}},
			{"GET", "/api/v1/users/me", "", "", 401, "", nil},
			{"POST", "/api/v1/messages", "new", body, 200, "gateway", []string{ask}},
			{"POST", "/api/v1/messages", "old", body, 200, "previous", []string{ask}},
			{"POST", "/api/v1/messages", "forged", body, 401, "", []string{ask}},
			{"POST", "/api/v1/messages", "", body, 401, "", nil},
			{"POST", "/api/v1/auth/challenge", "", "{}", 200, "gateway", nil},
			{"POST", "/api/v1/auth/challenge", "old", "{}", 200, "previous", []string{ask}},
			{"GET", "/health", "old", "", 200, "gateway", nil},
			{"GET", "/metrics", "new", "", 404, "", nil},
			{"POST", "/api/v1/messages", "old", strings.Repeat("x", 300_000), 413, "", nil},
		} {
			what := fmt.Sprintf("%s: %s %s with token %q", protocol, c.method, c.path, c.token)
			headers := http.Header{"X-User-Id": {forgery}, "X-Forwarded-For": {forgery}}
			if c.token != "" {
				headers["Authorization"] = []string{"Bearer " + c.token}
			}
			var content *strings.Reader
			req := e.request(t, c.method, c.path, nil, headers)
			if c.body != "" {
				content = strings.NewReader(c.body)
				req = e.request(t, c.method, c.path, content, headers)
			}
			a := do(t, e.client(t, protocol), req)
			asked := append(present.questions(), previous.questions()...)
			if a.StatusCode != c.status || a.seen.Upstream != c.upstream || c.status != 413 && !slices.Equal(asked, c.asked) {
				t.Errorf("%s: status %d of %q, asked %v; want %d of %q, %v", what, a.StatusCode, a.seen.Upstream, asked, c.status, c.upstream, c.asked)
			}
			if strings.Contains(a.body, "gateway_requests_total") {
				t.Errorf("%s: the client is shown the metrics", what)
			}
			if c.status != 200 {
				continue
			}
			if a.seen.URI != c.path || a.seen.Method != c.method || a.seen.Body != int64(len(c.body)) {
				t.Errorf("%s: arrives as %s %s with %d bytes", what, a.seen.Method, a.seen.URI, a.seen.Body)
			}
			var text strings.Builder
			if err := a.seen.Headers.Write(&text); err != nil {
				t.Fatal(err)
			}
			checkIdentity(t, what, "\r\n"+text.String(), e.host)
		}
	}
}

// A body that comes while it is asked, in chunks and late, arrives whole; a long
// poll of either pair is waited for.
func TestEdgeKnowsTwoKeyPairsOfSlowRequests(t *testing.T) {
	t.Parallel()
	e, _, _ := pairs(t, rotating(), func(name string) http.Handler {
		poll := slow()
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				echo(name).ServeHTTP(w, r)
				return
			}
			poll.ServeHTTP(w, r)
		})
	})
	var all sync.WaitGroup
	for _, protocol := range protocols {
		for token, upstream := range map[string]string{"new": "gateway", "old": "previous"} {
			headers := http.Header{"Authorization": {"Bearer " + token}}
			all.Go(func() {
				begun := time.Now()
				a := e.ask(t, e.client(t, protocol), http.MethodGet, "/api/v1/messages/12s?stream", nil, headers)
				if took := time.Since(begun); a.body != "first,done" || took < 12*time.Second {
					t.Errorf("%s, token %s: status %d, %q after %v", protocol, token, a.StatusCode, a.body, took)
				}
			})
			all.Go(func() {
				a := e.ask(t, e.client(t, protocol), http.MethodPost, "/api/v1/messages", &late{rest: 5}, headers)
				if a.seen.Upstream != upstream || a.seen.Body != 5000 {
					t.Errorf("%s, token %s: status %d of %q, %d bytes", protocol, token, a.StatusCode, a.seen.Upstream, a.seen.Body)
				}
			})
		}
	}
	all.Wait()
}

// late is a body of rest parts of 1000 bytes, each half a second after the other.
type late struct{ rest int }

func (l *late) Read(p []byte) (int, error) {
	if l.rest == 0 {
		return 0, io.EOF
	}
	l.rest--
	time.Sleep(500 * time.Millisecond)
	return copy(p, strings.Repeat("x", 1000)), nil
}

// A gateway that does not answer is an error of the edge's, never a way past it.
func TestEdgeWithoutAGatewayToAsk(t *testing.T) {
	t.Parallel()
	previous := &checker{name: "previous", token: "old", then: echo("previous")}
	e := startEdgeBefore(t, rotating(), upstreams{gateway: "127.0.0.1:1", previous: serve(t, previous)})
	for _, token := range []string{"new", "old", "forged"} {
		a := e.ask(t, e.client(t, "HTTP/1.1"), http.MethodGet, "/api/v1/users/me", nil, http.Header{"Authorization": {"Bearer " + token}})
		if a.StatusCode != http.StatusBadGateway {
			t.Errorf("token %s: status %d", token, a.StatusCode)
		}
	}
}

// Without a second key nothing is asked.
func TestEdgeAsksNothingWithoutAPreviousKey(t *testing.T) {
	t.Parallel()
	e, present, previous := pairs(t, wideOpen(), echo)
	for token, status := range map[string]int{"new": 200, "old": 401} {
		a := e.ask(t, e.client(t, "HTTP/1.1"), http.MethodGet, "/api/v1/users/me", nil, http.Header{"Authorization": {"Bearer " + token}})
		if asked := append(present.questions(), previous.questions()...); a.StatusCode != status || len(asked) > 0 {
			t.Errorf("token %s: status %d, asked %v", token, a.StatusCode, asked)
		}
	}
}
