package stacks

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// Who has a /64 has all addresses in it, and is one client; a neighbour is
// another. IPv4 addresses are counted each for itself, over IPv6 sockets too.
func TestEdgeCountsIPv6ByNetwork(t *testing.T) {
	t.Parallel()
	const edgeAddress = "fd00:0:0:1::1"
	own := []string{"fd00:0:0:2::1", "fd00:0:0:2::2", "fd00::2:ffff:ffff:ffff:ffff"}
	const neighbour = "fd00:0:0:3::1"
	if !inOwnNetwork(t, append(own, edgeAddress, neighbour)...) {
		return
	}
	d := testDeployment()
	d.RateLimit = RateLimit{RequestsPerMinute: 6, AuthPerMinute: 6, RegistrationsPerHour: 6, UploadsPerMinute: 6}
	e := startEdgeOn(t, d, upstreams{}, "::")
	port := e.tls[strings.LastIndex(e.tls, ":"):]

	e.tls = "[" + edgeAddress + "]" + port
	for i := range 6 {
		if a := e.ask(t, e.clientFrom(t, protocols[i%3], own[i%len(own)]), http.MethodGet, "/api/v1/users/me", nil, nil); a.StatusCode != http.StatusOK {
			t.Errorf("%s, request %d: status %d", own[i%len(own)], i, a.StatusCode)
		} else if got := a.seen.Headers.Get("X-Forwarded-For"); got != own[i%len(own)] {
			t.Errorf("X-Forwarded-For %q, want %q whole", got, own[i%len(own)])
		}
	}
	for i, address := range own {
		checkRefusal(t, address, e.ask(t, e.clientFrom(t, protocols[i%3], address), http.MethodGet, "/api/v1/users/me", nil, nil), time.Minute)
	}
	for _, protocol := range protocols {
		if a := e.ask(t, e.clientFrom(t, protocol, neighbour), http.MethodGet, "/api/v1/users/me", nil, nil); a.StatusCode != http.StatusOK {
			t.Errorf("another network, %s: status %d", protocol, a.StatusCode)
		}
	}

	e.tls = "127.0.0.1" + port
	for _, address := range []string{"127.0.0.2", "127.0.0.3"} {
		for i := range 6 {
			if a := e.ask(t, e.clientFrom(t, protocols[i%3], address), http.MethodGet, "/api/v1/users/me", nil, nil); a.StatusCode != http.StatusOK {
				t.Errorf("%s, request %d: status %d", address, i, a.StatusCode)
			}
		}
		checkRefusal(t, address, e.ask(t, e.clientFrom(t, "HTTP/3.0", address), http.MethodGet, "/api/v1/users/me", nil, nil), time.Minute)
	}
}
