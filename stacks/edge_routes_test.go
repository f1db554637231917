package stacks

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// mediaID is a well-formed one.
const mediaID = "123e4567-e89b-42d3-a456-426614174000"

// wideOpen is a deployment whose limits no test reaches by accident.
func wideOpen() Deployment {
	d := testDeployment()
	d.RateLimit = RateLimit{RequestsPerMinute: 10000, AuthPerMinute: 10000, RegistrationsPerHour: 10000, UploadsPerMinute: 10000}
	return d
}

func TestEdgeRoutes(t *testing.T) {
	t.Parallel()
	e := startEdge(t, wideOpen())
	for _, c := range []struct {
		method, path  string
		status        int
		upstream, uri string
	}{
		{"GET", "/api/v1/messages?since=5&timeout=60", 200, "gateway", "/api/v1/messages?since=5&timeout=60"},
		{"POST", "/api/v1/auth/register-device", 200, "gateway", "/api/v1/auth/register-device"},
		{"POST", "/api/v1/media/token", 200, "gateway", "/api/v1/media/token"},
		{"DELETE", "/api/v1/account", 200, "gateway", "/api/v1/account"},
		{"GET", "/api/v1/users/username/availability?username=%C3%A4%2F..", 200, "gateway", "/api/v1/users/username/availability?username=%C3%A4%2F.."},
		{"GET", "/api/v1/users/a.b~c_d-e@f:g", 200, "gateway", "/api/v1/users/a.b~c_d-e@f:g"},
		{"GET", "/api/v1/users/a%40b", 200, "gateway", "/api/v1/users/a%40b"},
		{"GET", "/health", 200, "gateway", "/health"},
		{"POST", "/health", 404, "", ""},
		{"GET", "/health/ready", 404, "", ""},
		{"GET", "/", 404, "", ""},
		{"GET", "/api", 404, "", ""},
		{"GET", "/api/v2/x", 404, "", ""},
		{"GET", "/.well-known/jwks.json", 404, "", ""},
		{"TRACE", "/api/v1/users/me", 405, "", ""},
		{"PROPFIND", "/api/v1/users/me", 405, "", ""},
		{"POST", "/media/upload", 200, "media", "/upload"},
		{"POST", "/media/upload?token=x", 200, "media", "/upload"},
		{"GET", "/media/upload", 404, "", ""},
		{"PUT", "/media/upload", 404, "", ""},
		{"GET", "/media/" + mediaID, 200, "media", "/" + mediaID},
		{"GET", "/media/" + strings.ToUpper(mediaID), 200, "media", "/" + strings.ToUpper(mediaID)},
		{"GET", "/media/" + mediaID + "?x=1", 200, "media", "/" + mediaID},
		{"HEAD", "/media/" + mediaID, 200, "", ""},
		{"DELETE", "/media/" + mediaID, 404, "", ""},
		{"PUT", "/media/" + mediaID, 404, "", ""},
		{"GET", "/media/" + mediaID + "/", 404, "", ""},
		{"GET", "/media/" + mediaID + ".txt", 404, "", ""},
		{"GET", "/media/" + mediaID[1:], 404, "", ""},
		{"GET", "/media/" + strings.Replace(mediaID, "-", "_", 1), 404, "", ""},
		{"GET", "/media/health", 404, "", ""},
		{"GET", "/media/", 404, "", ""},
	} {
		a := e.ask(t, e.client(t, "HTTP/1.1"), c.method, c.path, nil, nil)
		if a.StatusCode != c.status || a.seen.Upstream != c.upstream || a.seen.URI != c.uri {
			t.Errorf("%s %s: %d %q %q, want %d %q %q", c.method, c.path, a.StatusCode, a.seen.Upstream, a.seen.URI, c.status, c.upstream, c.uri)
		}
		if want := fmt.Sprintf(`{"error":"%s"}`, http.StatusText(c.status)); c.status >= 400 && (a.body != want || a.Header.Get("Content-Type") != "application/json") {
			t.Errorf("%s %s: %s %q, want JSON %q", c.method, c.path, a.Header.Get("Content-Type"), a.body, want)
		}
	}
}

// odd is every disguise of a path that leaves /api/v1 or /media, as it goes
// over the wire.
func odd() []string {
	const up = "/api/v1/users"
	paths := []string{"/media/..%2f" + mediaID, "/media/%2e%2e/" + mediaID, "/media/" + mediaID + "%00", "/media/" + mediaID + "%2f..%2f..%2fetc%2fpasswd"}
	for _, dots := range []string{
		"..", ".", "%2e%2e", "%2E%2E", ".%2e", "%2e.", "%2e", "%252e%252e", "%25252e%25252e", "%c0%ae%c0%ae", "%e0%80%ae%e0%80%ae",
		"..;", "..;x=1", "..%00", "%ef%bc%8e%ef%bc%8e", "\xc0\xae\xc0\xae", "．．",
	} {
		for _, slash := range []string{"/", "%2f", "%2F", "\\", "%5c", "%252f", "%c0%af", "//", "%ef%bc%8f", "/%09/"} {
			paths = append(paths, up+slash+dots+slash+dots+slash+dots+slash+"metrics")
		}
	}
	return append(paths,
		"//api/v1/users/me", "/api//v1/users/me", "/api/v1//users/me", "/api/v1/users//me",
		"/api/v1/users/me%0d%0aX-User-Id:%20admin", "/api/v1/users/%7f", "/api/v1/users/\xff", "/./api/v1/users/me",
		"/api/v1/users/.", "/api/v1/users/..", "/api/v1/users/../auth/challenge", "/api/v1/..", "/x/../api/v1/users/me",
	)
}

// What might be another path to somebody behind the edge goes to nobody.
func TestEdgeRefusesPathsInDisguise(t *testing.T) {
	t.Parallel()
	all := &recorder{}
	e := startEdgeBefore(t, wideOpen(), upstreams{gateway: all.run(t, byLength), media: all.run(t, byLength)})
	tried := 0
	for _, path := range odd() {
		codes := e.sendRaw(t, "GET "+path+" HTTP/1.1\r\nHost: "+e.host+"\r\nConnection: close\r\n\r\n", 5*time.Second)
		if len(codes) != 1 || codes[0] != http.StatusNotFound && codes[0] != http.StatusBadRequest {
			t.Errorf("%q: status %v, want 404 or 400", path, codes)
		}
		tried++
	}
	if got := all.requests(); len(got) != 0 {
		t.Errorf("these got through: %q", got)
	}
	if codes := e.sendRaw(t, "GET /api/v1/users/me HTTP/1.1\r\nHost: "+e.host+"\r\nConnection: close\r\n\r\n", 5*time.Second); len(codes) != 1 || codes[0] != 200 {
		t.Errorf("a plain path: %v", codes)
	}
	if len(all.requests()) != 1 {
		t.Error("the recorder behind the edge sees nothing at all")
	}
	t.Logf("%d paths", tried)
}

// A request target may name a host, another scheme or nothing at all.
func TestEdgeRefusesOddTargets(t *testing.T) {
	t.Parallel()
	all := &recorder{}
	e := startEdgeBefore(t, wideOpen(), upstreams{gateway: all.run(t, byLength), media: all.run(t, byLength)})
	for target, want := range map[string]int{
		"GET http://evil.example.net/api/v1/users/me":                 404,
		"GET http://media.internal:8005/" + mediaID:                   404,
		"GET https://" + e.host + "@evil.example.net/api/v1/users/me": 404,
		"CONNECT db.internal:5432":                                    404,
		"OPTIONS *":                                                   200, // of Go's server itself, as RFC 9110 wants it
		"GET api/v1/users/me":                                         400,
		"GET ":                                                        400,
		"GET /api/v1/users/me /x":                                     400,
	} {
		codes := e.sendRaw(t, target+" HTTP/1.1\r\nHost: "+e.host+"\r\nConnection: close\r\n\r\n", 5*time.Second)
		if len(codes) != 1 || codes[0] != want {
			t.Errorf("%s: status %v, want %d", target, codes, want)
		}
	}
	if got := all.requests(); len(got) != 0 {
		t.Errorf("these got through: %q", got)
	}
}
