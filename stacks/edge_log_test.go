package stacks

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// token is a secret as clients have them, too long for a word.
const token = canary + "0123456789abcdef"

// logged is a line of the access log.
type logged struct {
	Logger  string
	Status  int
	Error   string
	Request struct {
		URI, Method, Proto string
		RemoteIP           string `json:"remote_ip"`
		Headers            any
	}
}

// access waits for n lines of the access log.
func (e *edge) access(t *testing.T, n int) []logged {
	t.Helper()
	var lines []logged
	waitFor(t, 5*time.Second, "access log", func() error {
		lines = nil
		for line := range strings.Lines(e.printed(t)) {
			var l logged
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				return fmt.Errorf("%q is no JSON: %w", line, err)
			}
			if strings.HasPrefix(l.Logger, "http.log.access") {
				lines = append(lines, l)
			}
		}
		if len(lines) < n {
			return fmt.Errorf("%d lines of %d", len(lines), n)
		}
		return nil
	})
	return lines
}

// Nothing that Caddy prints holds a secret, however the request ends.
func TestEdgeLogsNoSecrets(t *testing.T) {
	t.Parallel()
	d := wideOpen()
	d.RateLimit.UploadsPerMinute = 2
	failing := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "session="+token)
		w.Header().Set("X-Access-Token", token)
		if strings.Contains(r.URL.Path, "abort") {
			panic(http.ErrAbortHandler)
		}
		if strings.Contains(r.URL.Path, "break") {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("too little"))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	}))
	nobody := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	e := startEdgeBefore(t, d, upstreams{gateway: failing, media: nobody})
	headers := http.Header{
		"Authorization": {"Bearer " + token}, "Cookie": {"session=" + token}, "X-Csrf-Token": {token}, "X-Api-Key": {token},
		"X-User-Id": {token}, "Referer": {"https://example.com/?token=" + token}, "User-Agent": {"app " + token}, "Proxy-Authorization": {"Basic " + token},
	}
	const query = "?token=" + token + "&since=7&x=" + token
	asked := 0
	var wg sync.WaitGroup
	for _, path := range []string{
		"/api/v1/users/me", "/api/v1/users/" + token, "/api/v1/users/" + token + "/keys", "/api/v1/abort/" + token, "/api/v1/break/" + token,
		"/" + token, "/media/" + mediaID, "/media/upload", "/media/upload", "/media/upload", "/api/v1/../" + token, "/metrics",
	} {
		for _, protocol := range protocols {
			req := e.request(t, http.MethodGet, path+query, nil, headers)
			if path == "/media/upload" {
				req.Method = http.MethodPost
			}
			c := e.client(t, protocol)
			asked++
			wg.Go(func() {
				resp, err := c.Do(req)
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
				if (err != nil) != strings.Contains(path, "break") {
					t.Errorf("%s %s: %v", protocol, path, err)
				}
			})
		}
	}
	wg.Wait()
	lines := e.access(t, asked)
	if len(lines) != asked {
		t.Errorf("%d lines for %d requests", len(lines), asked)
	}
	statuses, uris, causes := map[int]bool{}, map[string]bool{}, ""
	for _, l := range lines {
		statuses[l.Status], uris[l.Request.URI] = true, true
		causes += l.Error + "\n"
		if l.Request.Headers != nil || l.Request.RemoteIP != "127.0.0.1" || l.Request.Method == "" || l.Request.Proto == "" || strings.ContainsAny(l.Request.URI, "?=") {
			t.Errorf("line %+v", l)
		}
	}
	for _, want := range []int{200, 404, 429, 502} {
		if !statuses[want] {
			t.Errorf("no request ended with %d: %v", want, statuses)
		}
	}
	for line := range strings.Lines(e.printed(t)) {
		if strings.Contains(line, canary) || strings.Contains(line, mediaID) {
			t.Errorf("a secret is printed: %s", line)
		}
	}
	if !strings.Contains(causes, "connection refused") || !strings.Contains(causes, "EOF") {
		t.Errorf("the log does not say why requests failed: %q", causes)
	}
	for _, want := range []string{"/api/v1/users/me", "/api/v1/users/-", "/api/v1/users/-/keys", "/media/-", "/media/upload", "/metrics"} {
		if !uris[want] {
			t.Errorf("no line says %q: %v", want, uris)
		}
	}
}

// Nor is one in the metrics, whose labels are methods, codes and servers.
func TestEdgeMetricsHoldNoSecrets(t *testing.T) {
	t.Parallel()
	e := startEdge(t, wideOpen())
	req := e.request(t, http.MethodGet, "/api/v1/users/"+token, nil, http.Header{"Authorization": {token}})
	do(t, e.client(t, "HTTP/2.0"), req)
	resp, err := http.Get("http://" + e.metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	a := answer{Response: resp}
	defer func() { _ = resp.Body.Close() }()
	var text strings.Builder
	if err := resp.Write(&text); err != nil || a.StatusCode != http.StatusOK {
		t.Fatal(err)
	}
	if strings.Contains(text.String(), canary) || strings.Contains(text.String(), "127.0.0.1\"") {
		t.Error("metrics hold a token or a client's address")
	}
}
