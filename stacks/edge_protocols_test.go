package stacks

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEdgeSpeaksEveryProtocol(t *testing.T) {
	t.Parallel()
	e := startEdge(t, testDeployment())
	for _, protocol := range protocols {
		a := e.ask(t, e.client(t, protocol), http.MethodPost, "/api/v1/messages", strings.NewReader("hello"), nil)
		if a.Proto != protocol || a.StatusCode != http.StatusOK || a.seen.Upstream != "gateway" || a.seen.Body != 5 {
			t.Errorf("%s: status %d over %s, seen %+v", protocol, a.StatusCode, a.Proto, a.seen)
		}
		if alt := a.Header.Get("Alt-Svc"); (protocol != "HTTP/3.0") != strings.HasPrefix(alt, `h3=":`) {
			t.Errorf("%s: Alt-Svc %q", protocol, alt)
		}
	}
}

func TestEdgeRedirectsToTLS(t *testing.T) {
	t.Parallel()
	e := startEdge(t, testDeployment())
	for _, c := range []struct {
		method, host, path string
		status             int
		location           string
	}{
		{"GET", e.host, "/api/v1/users/me?x=1", http.StatusPermanentRedirect, "https://" + e.host + "/api/v1/users/me?x=1"},
		{"POST", e.host, "/media/upload", http.StatusPermanentRedirect, "https://" + e.host + "/media/upload"},
		{"GET", e.host, "/metrics", http.StatusPermanentRedirect, "https://" + e.host + "/metrics"},
		{"GET", "evil.example.net", "/api/v1/users/me", http.StatusNotFound, ""},
		{"GET", "203.0.113.9", "/", http.StatusNotFound, ""},
	} {
		req := e.request(t, c.method, c.path, nil, nil)
		req.URL.Scheme, req.URL.Host, req.Host = "http", e.host+":80", c.host
		a := do(t, e.client(t, "HTTP/1.1"), req)
		// In this test TLS has another port than 443, which Caddy says.
		location := strings.Replace(a.Header.Get("Location"), e.tls[strings.LastIndex(e.tls, ":"):], "", 1)
		if a.StatusCode != c.status || location != c.location {
			t.Errorf("%s http://%s%s: %d to %q, want %d to %q", c.method, c.host, c.path, a.StatusCode, location, c.status, c.location)
		}
		if a.seen.Upstream != "" {
			t.Errorf("%s http://%s%s reached %s without TLS", c.method, c.host, c.path, a.seen.Upstream)
		}
	}
}

func TestEdgeSendsSecurityHeaders(t *testing.T) {
	t.Parallel()
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "hyper")
		w.Header().Set("X-Frame-Options", "ALLOWALL")
		if r.URL.Path == "/api/v1/keys/cached" {
			w.Header().Set("Cache-Control", "max-age=60")
		}
	}))
	e := startEdgeBefore(t, testDeployment(), upstreams{gateway: upstream})
	for path, cache := range map[string]string{
		"/api/v1/users/me": "no-store", "/api/v1/keys/cached": "max-age=60", "/nothing": "no-store", "/metrics": "no-store",
	} {
		a := e.get(t, path)
		got := map[string]string{}
		for name, values := range a.Header {
			if name != "Date" && name != "Alt-Svc" && name != "Content-Length" && name != "Content-Type" {
				got[name] = strings.Join(values, " | ")
			}
		}
		want := map[string]string{
			"Strict-Transport-Security": "max-age=31536000; includeSubDomains", "X-Content-Type-Options": "nosniff",
			"X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cache-Control": cache,
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: headers (-want +got):\n%s", path, diff)
		}
	}
}

func TestEdgeCompresses(t *testing.T) {
	t.Parallel()
	text := `{"messages":"` + strings.Repeat("hello ", 4000) + `"}`
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", map[bool]string{true: "application/json", false: "application/octet-stream"}[strings.HasPrefix(r.URL.Path, "/api")])
		_, _ = io.WriteString(w, text)
	}))
	e := startEdgeBefore(t, testDeployment(), upstreams{gateway: upstream, media: upstream})
	c := e.client(t, "HTTP/2.0")
	for _, want := range []string{"gzip", "zstd"} {
		a := e.ask(t, c, http.MethodGet, "/api/v1/messages", nil, http.Header{"Accept-Encoding": {want}})
		if got := a.Header.Get("Content-Encoding"); got != want || len(a.body) > len(text)/10 {
			t.Errorf("accepting %s: %q, %d of %d bytes", want, got, len(a.body), len(text))
		}
		if want != "gzip" {
			continue
		}
		r, err := gzip.NewReader(strings.NewReader(a.body))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != text {
			t.Errorf("unpacked: %d bytes, %v", len(got), err)
		}
	}
	// Uploads are encrypted by the clients: packing them is work for nothing.
	a := e.ask(t, c, http.MethodGet, "/media/123e4567-e89b-42d3-a456-426614174000", nil, http.Header{"Accept-Encoding": {"gzip"}})
	if a.Header.Get("Content-Encoding") != "" || a.body != text {
		t.Errorf("media arrives as %q, %d bytes", a.Header.Get("Content-Encoding"), len(a.body))
	}
}

// Metrics have a listener of their own; the public one does not know them.
func TestEdgeMetricsArePrivate(t *testing.T) {
	t.Parallel()
	e := startEdge(t, testDeployment())
	for _, path := range []string{"/metrics", "/METRICS", "/metrics/", "/api/v1/../../metrics", "/config/", "/load", "/debug/pprof/"} {
		if a := e.get(t, path); a.StatusCode != http.StatusNotFound || strings.Contains(a.body, "caddy_") {
			t.Errorf("public %s: status %d, %.80q", path, a.StatusCode, a.body)
		}
	}
	resp, err := http.Get("http://" + e.metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(text), "caddy_http_requests_total") {
		t.Errorf("private /metrics: status %d, %v", resp.StatusCode, err)
	}
	for _, path := range []string{"/", "/api/v1/users/me", "/config/"} {
		if err := get("http://" + e.metrics + path); err == nil || err.Error() != "status 404" {
			t.Errorf("private %s: %v, want 404", path, err)
		}
	}
}
