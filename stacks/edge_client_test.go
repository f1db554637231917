package stacks

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// protocols are what clients speak with the edge.
var protocols = []string{"HTTP/1.1", "HTTP/2.0", "HTTP/3.0"}

// client speaks one protocol with the edge, from 127.0.0.1.
func (e *edge) client(t *testing.T, protocol string) *http.Client {
	t.Helper()
	return e.clientFrom(t, protocol, "")
}

// clientFrom is at another address; "" leaves it to the system.
func (e *edge) clientFrom(t *testing.T, protocol, address string) *http.Client {
	t.Helper()
	conf := &tls.Config{RootCAs: e.roots, MinVersion: tls.VersionTLS12}
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if protocol == "HTTP/3.0" {
		local, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(address)})
		if err != nil {
			t.Fatal(err)
		}
		wire := &quic.Transport{Conn: local}
		t.Cleanup(func() { _ = wire.Close(); _ = local.Close() })
		h3 := &http3.Transport{
			TLSClientConfig: conf,
			Dial: func(ctx context.Context, _ string, c *tls.Config, q *quic.Config) (*quic.Conn, error) {
				to, err := net.ResolveUDPAddr("udp", e.tls)
				if err != nil {
					return nil, err
				}
				return wire.DialEarly(ctx, to, c, q)
			},
		}
		t.Cleanup(func() { _ = h3.Close() })
		return &http.Client{Transport: h3, CheckRedirect: noRedirect}
	}
	dialer := &net.Dialer{}
	if address != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(address)}
	}
	tr := &http.Transport{
		TLSClientConfig: conf, ForceAttemptHTTP2: protocol == "HTTP/2.0", DisableCompression: true,
		DialContext: func(ctx context.Context, _, to string) (net.Conn, error) {
			if strings.HasSuffix(to, ":80") {
				return dialer.DialContext(ctx, "tcp", e.plain)
			}
			return dialer.DialContext(ctx, "tcp", e.tls)
		},
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, CheckRedirect: noRedirect}
}

// seenBy is what echo reports: the request as the upstream saw it.
type seenBy struct {
	Upstream, URI, Method string
	Headers, Trailers     http.Header
	Body                  int64
}

func echo(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(seenBy{name, r.RequestURI, r.Method, r.Header, r.Trailer, n})
	})
}

// answer is a response whose body has been read.
type answer struct {
	*http.Response
	body string
	seen seenBy // where an echo answered
}

// request makes one for the edge; path is sent as it is.
func (e *edge) request(t *testing.T, method, path string, body io.Reader, headers http.Header) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "https://"+e.host+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range headers {
		req.Header[k] = v
	}
	return req
}

// ask sends a request and reads the answer.
func (e *edge) ask(t *testing.T, c *http.Client, method, path string, body io.Reader, headers http.Header) answer {
	t.Helper()
	return do(t, c, e.request(t, method, path, body, headers))
}

func do(t *testing.T, c *http.Client, req *http.Request) answer {
	t.Helper()
	resp, err := c.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	a := answer{Response: resp, body: string(text)}
	if resp.StatusCode == http.StatusOK {
		_ = json.Unmarshal(text, &a.seen) // of other handlers: nothing
	}
	return a
}

// get asks over HTTP/1.1.
func (e *edge) get(t *testing.T, path string) answer {
	t.Helper()
	return e.ask(t, e.client(t, "HTTP/1.1"), http.MethodGet, path, nil, nil)
}

// raw is a TLS connection on which a test writes what no client would.
func (e *edge) raw(t *testing.T, protocol string) *tls.Conn {
	t.Helper()
	conn, err := tls.Dial("tcp", e.tls, &tls.Config{
		RootCAs: e.roots, ServerName: e.host, NextProtos: []string{protocol}, MinVersion: tls.VersionTLS12,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// sendRaw writes bytes on a connection of their own and returns the status
// codes of all answers, until the edge closes or is silent for quiet.
func (e *edge) sendRaw(t *testing.T, text string, quiet time.Duration) []int {
	t.Helper()
	conn := e.raw(t, "http/1.1")
	if _, err := io.WriteString(conn, text); err != nil {
		t.Logf("write: %v", err) // refused before its end
	}
	var codes []int
	for r := bufio.NewReader(conn); ; {
		if err := conn.SetReadDeadline(time.Now().Add(quiet)); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return codes
		}
		var body bytes.Buffer
		_, err = io.Copy(&body, resp.Body)
		_ = resp.Body.Close()
		codes = append(codes, resp.StatusCode)
		if err != nil {
			return codes
		}
	}
}
