package stacks

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// forged are headers by which a service, or one that folds other characters
// into hyphens as CGI does, could be told who asks or from where.
func forged() []string {
	names := []string{
		"X-User-Id", "x-user-id", "X-USER-ID", "x-UsEr-iD", "X_User_Id", "x_user_id", "X-User_Id", "X.User.Id", "X_User.Id",
		"X-Device-Id", "x-device-ID", "X_Device_Id", "X.Device.Id",
		"X-Forwarded-For", "X_Forwarded_For", "x-forwarded-for", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port",
		"X-Forwarded-User", "X-Forwarded-Prefix", "X-Forwarded-Client-Cert", "Forwarded", "X-Real-Ip", "X-Real-IP", "X-Client-Ip",
		"X-Cluster-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "X-Original-Url", "X-Original-Forwarded-For", "X-Rewrite-Url",
		"Via", "Upgrade",
	}
	return names
}

// stamped is what the edge itself says of a request from 127.0.0.1.
func stamped(host string) map[string]string {
	return map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": host, "X-Forwarded-Proto": "https"}
}

const forgery = "198.51.100.66"

// checkIdentity fails if a forged value is anywhere in what the upstream saw,
// or the edge's own stamp is not there exactly once.
func checkIdentity(t *testing.T, what, request, host string) {
	t.Helper()
	if strings.Contains(request, forgery) {
		t.Errorf("%s: the forgery arrives:\n%s", what, request)
	}
	for name, want := range stamped(host) {
		if got := values(request, name); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %s is %q, want %q once", what, name, got, want)
		}
	}
}

// A client cannot say who it is or where it comes from, however it spells it.
func TestEdgeStripsIdentity(t *testing.T) {
	t.Parallel()
	gateway, media := &recorder{}, &recorder{}
	e := startEdgeBefore(t, wideOpen(), upstreams{gateway: gateway.run(t, byLength), media: media.run(t, byLength)})
	for path, upstream := range map[string]*recorder{"/api/v1/users/me": gateway, "/health": gateway, "/media/" + mediaID: media} {
		for _, name := range forged() {
			for how, lines := range map[string]string{
				"once":           name + ": " + forgery,
				"twice":          name + ": " + forgery + "\r\n" + name + ": " + forgery,
				"without space":  name + ":" + forgery,
				"with spaces":    name + ": \t " + forgery + " \t",
				"a list":         name + ": 127.0.0.1, " + forgery,
				"hop by hop":     name + ": " + forgery + "\r\nConnection: keep-alive, " + name,
				"hop by hop too": "Connection: " + name + "\r\n" + name + ": " + forgery + "\r\nConnection: X-Forwarded-For, X-Forwarded-Proto",
			} {
				what := fmt.Sprintf("%s, %s %s", path, name, how)
				upstream.forget()
				codes := e.sendRaw(t, "GET "+path+" HTTP/1.1\r\nHost: "+e.host+"\r\nAuthorization: Bearer token\r\n"+lines+"\r\nConnection: close\r\n\r\n", 5*time.Second)
				got := upstream.requests()
				if !slices.Equal(codes, []int{200}) || len(got) != 1 {
					t.Errorf("%s: status %v, %d requests at the upstream", what, codes, len(got))
					continue
				}
				checkIdentity(t, what, got[0], e.host)
				if !slices.Equal(values(got[0], "Authorization"), []string{"Bearer token"}) {
					t.Errorf("%s: the token is lost:\n%s", what, got[0])
				}
			}
		}
	}
}

// Spellings that no parser should take are refused, not repaired.
func TestEdgeRefusesMalformedHeaders(t *testing.T) {
	t.Parallel()
	all := &recorder{}
	e := startEdgeBefore(t, wideOpen(), upstreams{gateway: all.run(t, byLength)})
	for _, line := range []string{
		"X-User-Id : " + forgery, "X-User-Id\t: " + forgery, " X-User-Id: " + forgery, "X-User-Id\x00: " + forgery, "X-User-\x0bId: " + forgery,
		"X-User-Id: a\x00" + forgery, "X-User-Id: a\r" + forgery, "X-User-Id", ": " + forgery, "X User Id: " + forgery, "X-Usér-Id: " + forgery,
		"Accept: */*\r\n X-User-Id: " + forgery, "Accept: */*\n\tX-User-Id: " + forgery,
	} {
		all.forget()
		codes := e.sendRaw(t, "GET /api/v1/users/me HTTP/1.1\r\nHost: "+e.host+"\r\n"+line+"\r\nConnection: close\r\n\r\n", 5*time.Second)
		got := all.requests()
		switch {
		case slices.Equal(codes, []int{400}) && len(got) == 0:
		case slices.Equal(codes, []int{200}) && len(got) == 1: // a folded line, read as the value before it
			if ids := values(got[0], "X-User-Id"); len(ids) > 0 {
				t.Errorf("%q: X-User-Id %q arrives", line, ids)
			}
		default:
			t.Errorf("%q: status %v, %d requests at the upstream", line, codes, len(got))
		}
	}
}

func TestEdgeStripsIdentityOfEveryProtocol(t *testing.T) {
	t.Parallel()
	e := startEdge(t, wideOpen())
	headers := http.Header{"Authorization": {"Bearer token"}}
	for _, name := range forged() {
		// HTTP/2 and 3 know neither upgrades nor upper case.
		if name == http.CanonicalHeaderKey(name) && name != "Upgrade" {
			headers[name] = []string{forgery, forgery}
		}
	}
	for _, protocol := range protocols {
		a := e.ask(t, e.client(t, protocol), http.MethodGet, "/api/v1/users/me", nil, headers)
		var text strings.Builder
		if err := a.seen.Headers.Write(&text); err != nil || a.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d, %v", protocol, a.StatusCode, err)
		}
		checkIdentity(t, protocol, "\r\n"+text.String(), e.host)
	}
}

// Trailers come after the headers have been judged: they must not be taken for
// headers, and none of them may say who asks.
func TestEdgeStripsIdentityFromTrailers(t *testing.T) {
	t.Parallel()
	all := &recorder{}
	e := startEdgeBefore(t, wideOpen(), upstreams{gateway: all.run(t, byLength)})
	for what, announced := range map[string]string{"announced": "Trailer: X-User-Id, X-Forwarded-For\r\n", "unannounced": "", "twice": "Trailer: X-User-Id\r\nTrailer: X-Device-Id\r\n"} {
		all.forget()
		codes := e.sendRaw(t, "POST /api/v1/messages HTTP/1.1\r\nHost: "+e.host+"\r\nTE: trailers\r\n"+announced+
			"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nhi\r\n0\r\nX-User-Id: "+forgery+"\r\nX-Device-Id: "+forgery+"\r\nX-Forwarded-For: "+forgery+"\r\n\r\n", 5*time.Second)
		got := all.requests()
		if !slices.Equal(codes, []int{200}) || len(got) != 1 {
			t.Errorf("%s: status %v, %d requests at the upstream", what, codes, len(got))
			continue
		}
		checkIdentity(t, what, got[0], e.host)
	}
	echoing := startEdge(t, wideOpen())
	for _, protocol := range protocols {
		req := echoing.request(t, http.MethodPost, "/api/v1/messages", strings.NewReader("hi"), nil)
		req.ContentLength = -1
		req.Trailer = http.Header{"X-User-Id": {forgery}, "X-Device-Id": {forgery}}
		if a := do(t, echoing.client(t, protocol), req); a.StatusCode != http.StatusOK || len(a.seen.Trailers) > 0 || a.seen.Headers.Get("X-User-Id") != "" {
			t.Errorf("%s: status %d, trailers %v", protocol, a.StatusCode, a.seen.Trailers)
		}
	}
}
