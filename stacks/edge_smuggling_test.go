package stacks

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// hidden is a request that nobody but its sender should know of. The edge would
// strip its identity and refuse its path.
const hidden = "GET /metrics HTTP/1.1\r\nHost: gateway\r\nX-User-Id: " + forgery + "\r\n\r\n"

// smuggle is every known way to make two servers disagree about where a
// request ends. %s is the host.
func smuggle() map[string]string {
	const (
		post    = "POST /api/v1/messages HTTP/1.1\r\nHost: %s\r\n"
		chunked = "Transfer-Encoding: chunked\r\n"
	)
	length := func(n int) string { return fmt.Sprintf("Content-Length: %d\r\n", n) }
	whole := length(len(hidden))
	attacks := map[string]string{
		"CL.TE":                      post + length(len(hidden)+5) + chunked + "\r\n0\r\n\r\n" + hidden,
		"TE.CL":                      post + length(4) + chunked + "\r\n" + fmt.Sprintf("%x\r\n", len(hidden)) + hidden + "\r\n0\r\n\r\n",
		"CL.0":                       post + whole + "\r\n" + hidden,
		"0.CL":                       post + "Content-Length:\r\n\r\n" + hidden,
		"GET with a body":            "GET /api/v1/users/me HTTP/1.1\r\nHost: %s\r\n" + whole + "\r\n" + hidden,
		"two lengths, first zero":    post + length(0) + whole + "\r\n" + hidden,
		"two lengths, last zero":     post + whole + length(0) + "\r\n" + hidden,
		"twice the same length":      post + whole + whole + "\r\n" + hidden,
		"a list of lengths":          post + fmt.Sprintf("Content-Length: 0, %d\r\n\r\n", len(hidden)) + hidden,
		"length with a sign":         post + fmt.Sprintf("Content-Length: +%d\r\n\r\n", len(hidden)) + hidden,
		"length below zero":          post + "Content-Length: -1\r\n\r\n" + hidden,
		"length in hex":              post + fmt.Sprintf("Content-Length: 0x%x\r\n\r\n", len(hidden)) + hidden,
		"length with a blank inside": post + "Content-Length: 1 0\r\n\r\n" + hidden,
		"length beyond 64 bits":      post + "Content-Length: 18446744073709551616\r\n\r\n" + hidden,
		"length with a blank before": post + fmt.Sprintf("Content-Length : %d\r\n\r\n", len(hidden)) + hidden,
		"length with a tab before":   post + fmt.Sprintf("Content-Length\t: %d\r\n\r\n", len(hidden)) + hidden,
		"folded length":              post + fmt.Sprintf("Content-Length:\r\n %d\r\n\r\n", len(hidden)) + hidden,
		"length with underscore":     post + fmt.Sprintf("Content_Length: %d\r\n\r\n", len(hidden)) + hidden,
		"bare LF":                    "POST /api/v1/messages HTTP/1.1\nHost: %s\n" + fmt.Sprintf("Content-Length: %d\n\n", len(hidden)) + hidden,
		"bare CR":                    "POST /api/v1/messages HTTP/1.1\rHost: %s\r\r" + hidden,
		"LF CR":                      "POST /api/v1/messages HTTP/1.1\n\rHost: %s\n\r\n\r" + hidden,
		"CR inside a value":          post + "X-A: b\rContent-Length: 0\r\n" + whole + "\r\n" + hidden,
		"NUL inside a value":         post + "X-A: b\x00\r\n" + whole + "\r\n" + hidden,
		"HTTP/1.0 with chunks":       "POST /api/v1/messages HTTP/1.0\r\nHost: %s\r\nConnection: keep-alive\r\n" + chunked + "\r\n0\r\n\r\n" + hidden,
		"HTTP/0.9":                   "GET /api/v1/users/me\r\n" + hidden,
		"HTTP/1.10":                  "POST /api/v1/messages HTTP/1.10\r\nHost: %s\r\n" + whole + "\r\n" + hidden,
		"blank before the request":   "\r\n\r\n" + post + whole + "\r\n" + hidden,
		"two hosts":                  post + "Host: evil\r\n" + whole + "\r\n" + hidden,
		"length hop by hop":          post + "Connection: Content-Length\r\n" + whole + "\r\n" + hidden,
		"encoding hop by hop":        post + "Connection: Transfer-Encoding\r\n" + chunked + "\r\n0\r\n\r\n" + hidden,
		"upgrade to h2c":             post + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n" + whole + "\r\n" + hidden,
		"upgrade to websocket":       "GET /api/v1/messages HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n" + hidden, // gitleaks:allow
		"expects and goes on":        post + "Expect: 100-continue\r\n" + whole + "\r\n" + hidden,
		"expects something else":     post + "Expect: 200-maybe\r\n" + whole + "\r\n" + hidden,
		"chunk size with a sign":     post + chunked + "\r\n+0\r\n\r\n" + hidden,
		"chunk size in disguise":     post + chunked + "\r\n0x0\r\n\r\n" + hidden,
		"chunk size too large":       post + chunked + "\r\n10000000000000000\r\n" + hidden,
		"chunk size with a blank":    post + chunked + "\r\n0 1\r\n\r\n" + hidden,
		"chunk of bare LF":           post + chunked + "\n1\na\n0\n\n" + hidden,
		"chunk longer than its size": post + chunked + "\r\n1\r\naXX0\r\n\r\n" + hidden,
		"chunk extension with LF":    post + chunked + "\r\n1;a\nb\r\nx\r\n0\r\n\r\n" + hidden,
		"chunk without an end":       post + chunked + "\r\n" + fmt.Sprintf("%x\r\n", len(hidden)) + hidden,
		"trailer with a length":      post + chunked + "\r\n0\r\n" + whole + "\r\n" + hidden,
	}
	for name, value := range map[string]string{
		"a blank before the colon": "Transfer-Encoding : chunked", "a tab after": "Transfer-Encoding:\tchunked", "a form feed": "Transfer-Encoding:\x0cchunked",
		"a vertical tab": "Transfer-Encoding:\x0bchunked", "quotes": `Transfer-Encoding: "chunked"`, "a comma before": "Transfer-Encoding: ,chunked",
		"identity before": "Transfer-Encoding: identity, chunked", "identity after": "Transfer-Encoding: chunked, identity", "gzip before": "Transfer-Encoding: gzip, chunked",
		"identity on a line": "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", "twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
		"capitals": "TRANSFER-ENCODING: CHUNKED", "mixed case": "tRANSFER-eNCODING: cHUNKED", "misspelt": "Transfer-Encoding: xchunked",
		"a fold": "Transfer-Encoding:\r\n chunked", "a fold before": "X-A: b\r\n Transfer-Encoding: chunked", "an underscore": "Transfer_Encoding: chunked",
		"a parameter": "Transfer-Encoding: chunked;q=1", "NUL": "Transfer-Encoding: chunked\x00", "a letter with dots": "Transfer-Encoding: chünked", "nothing": "Transfer-Encoding:",
		"a bare LF": "X-A: b\nTransfer-Encoding: chunked", "a bare CR": "X-A: b\rTransfer-Encoding: chunked",
	} {
		attacks["CL.TE with "+name] = post + length(len(hidden)+5) + value + "\r\n\r\n0\r\n\r\n" + hidden
		attacks["TE.CL with "+name] = post + length(4) + value + "\r\n\r\n" + fmt.Sprintf("%x\r\n", len(hidden)) + hidden + "\r\n0\r\n\r\n"
		attacks["TE alone with "+name] = post + value + "\r\n\r\n0\r\n\r\n" + hidden
	}
	return attacks
}

// checkBehind fails unless every request behind the edge is one that the edge
// itself let through: stamped by it, on a path that it serves, framed in one way.
func checkBehind(t *testing.T, what string, requests []string, host string) {
	t.Helper()
	for _, r := range requests {
		head, _, _ := strings.Cut(r, "\r\n\r\n")
		checkIdentity(t, what, head+"\r\n\r\n", host)
		target := strings.Fields(r)
		if len(target) < 3 || !strings.HasPrefix(target[1], "/api/v1/") || target[2] != "HTTP/1.1" {
			t.Errorf("%s: %q got through", what, strings.SplitN(r, "\r\n", 2)[0])
		}
		if n, m := len(values(head, "Content-Length")), len(values(head, "Transfer-Encoding")); n+m > 1 {
			t.Errorf("%s: %d lengths and %d encodings behind the edge:\n%s", what, n, m, head)
		}
		if strings.Contains(strings.ReplaceAll(head, "\r\n", ""), "\r") || strings.Contains(strings.ReplaceAll(head, "\r\n", ""), "\n") || len(values(head, "Upgrade")) > 0 {
			t.Errorf("%s: behind the edge:\n%q", what, head)
		}
	}
}

// Of every attempt exactly one request arrives, as the edge understood it, or
// it is refused: a service that frames in another way sees nothing else.
func TestEdgeLetsNothingBeSmuggled(t *testing.T) {
	t.Parallel()
	attacks := smuggle()
	for name, f := range map[string]framing{"length first": byLength, "chunks first": byChunks} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			behind := &recorder{}
			e := startEdgeBefore(t, wideOpen(), upstreams{gateway: behind.run(t, f)})
			refused, arrived := 0, 0
			for what, text := range attacks {
				behind.forget()
				if strings.Contains(text, "%s") {
					text = fmt.Sprintf(strings.ReplaceAll(text, "%s", "%[1]s"), e.host)
				}
				codes := e.sendRaw(t, text, 300*time.Millisecond)
				got := behind.requests()
				checkBehind(t, what, append(got, behind.fragments()...), e.host)
				answered := 0
				for _, code := range codes {
					if code == http.StatusOK {
						answered++
					}
				}
				switch {
				case len(got) > 1:
					t.Errorf("%s: %d requests behind the edge: %q", what, len(got), got)
				case len(got) == 0 && answered > 0:
					t.Errorf("%s: status %v, and nothing arrived", what, codes)
				case len(got) == 0 && len(codes) > 0 && codes[0] < 400:
					t.Errorf("%s: status %v", what, codes)
				case len(got) == 0:
					refused++
				default:
					arrived++
				}
				// The connections to the service are still in step.
				behind.forget()
				if a := e.get(t, "/api/v1/users/me"); a.StatusCode != http.StatusOK || len(behind.requests()) != 1 {
					t.Errorf("%s: the next client gets %d, %d requests behind", what, a.StatusCode, len(behind.requests()))
				}
			}
			t.Logf("%d refused, %d arrived as one request", refused, arrived)
		})
	}
}

// The recorder that frames by nothing takes the hidden request for one: it
// would be noticed.
func TestRecorderSeesSmuggledRequests(t *testing.T) {
	t.Parallel()
	behind := &recorder{}
	e := startEdgeBefore(t, wideOpen(), upstreams{gateway: behind.run(t, byNobody)})
	e.sendRaw(t, fmt.Sprintf("POST /api/v1/messages HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n", e.host, len(hidden))+hidden, 300*time.Millisecond)
	if got := behind.requests(); !slices.ContainsFunc(got, func(r string) bool { return strings.HasPrefix(r, "GET /metrics ") }) {
		t.Errorf("only %q", got)
	}
}
