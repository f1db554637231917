package stacks

import (
	"net/http"
	"net/netip"
	"testing"
)

// Closed for maintenance, the edge answers for the services; /health does not
// change, so that nobody is woken, and those who test are let in.
func TestEdgeMaintenance(t *testing.T) {
	t.Parallel()
	d := wideOpen()
	d.Maintenance = Maintenance{
		Enabled: true, RetryAfterSeconds: 900,
		AllowedCIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.8/31"), netip.MustParsePrefix("2001:db8::/64")},
	}
	behind := &recorder{}
	e := startEdgeBefore(t, d, upstreams{gateway: behind.run(t, byLength), media: behind.run(t, byLength)})
	for _, protocol := range protocols {
		for path, want := range map[string]int{
			"/api/v1/users/me": 503, "/api/v1/auth/challenge": 503, "/media/" + mediaID: 503, "/media/upload": 503, "/api/v1/nothing": 503,
			"/nothing": 404, "/metrics": 404, "/health": 200,
		} {
			behind.forget()
			req := e.request(t, http.MethodGet, path, nil, http.Header{"X-Forwarded-For": {"127.0.0.8"}})
			a := do(t, e.clientFrom(t, protocol, "127.0.0.7"), req)
			if a.StatusCode != want {
				t.Errorf("%s %s: status %d, want %d", protocol, path, a.StatusCode, want)
			}
			if got := len(behind.requests()); (got > 0) != (want == 200) {
				t.Errorf("%s %s: %d requests behind", protocol, path, got)
			}
			if want != 503 {
				continue
			}
			if a.Header.Get("Retry-After") != "900" || a.body != `{"error":"Service Unavailable"}` || a.Header.Get("Content-Type") != "application/json" || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s: %q with %v", protocol, path, a.body, a.Header)
			}
		}
		if a := e.ask(t, e.clientFrom(t, protocol, "127.0.0.9"), http.MethodGet, "/api/v1/users/me", nil, nil); a.StatusCode != http.StatusOK {
			t.Errorf("%s: one that is let in gets %d", protocol, a.StatusCode)
		}
	}
	d.Maintenance.Enabled = false
	e.configure(t, d)
	if err := e.reload(); err != nil {
		t.Fatal(err)
	}
	if a := e.get(t, "/api/v1/users/me"); a.StatusCode != http.StatusOK {
		t.Errorf("opened again: status %d", a.StatusCode)
	}
}
