package stacks

import (
	"crypto/tls"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// Nothing older than TLS 1.2 gets in, and nothing without TLS beyond the redirect.
func TestEdgeRefusesOldTLS(t *testing.T) {
	t.Parallel()
	e := startEdge(t, testDeployment())
	for version, ok := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		conn, err := tls.Dial("tcp", e.tls, &tls.Config{
			RootCAs: e.roots, ServerName: e.host, MinVersion: tls.VersionTLS10, MaxVersion: version,
			CipherSuites: everyCipher(),
		})
		if (err == nil) != ok {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err != nil {
			continue
		}
		for _, weak := range tls.InsecureCipherSuites() {
			if conn.ConnectionState().CipherSuite == weak.ID {
				t.Errorf("%s: agreed on %s", tls.VersionName(version), weak.Name)
			}
		}
		_ = conn.Close()
	}
	weak := &tls.Config{RootCAs: e.roots, ServerName: e.host, MaxVersion: tls.VersionTLS12}
	for _, c := range tls.InsecureCipherSuites() {
		weak.CipherSuites = append(weak.CipherSuites, c.ID)
	}
	if conn, err := tls.Dial("tcp", e.tls, weak); err == nil {
		t.Errorf("agreed on %s", tls.CipherSuiteName(conn.ConnectionState().CipherSuite))
	}
}

func everyCipher() []uint16 {
	var ids []uint16
	for _, c := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		ids = append(ids, c.ID)
	}
	return ids
}

// What comes before the handshake is done can be sent again by somebody else.
func TestEdgeTakesNoEarlyData(t *testing.T) {
	t.Parallel()
	e := startEdge(t, testDeployment())
	local, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	wire := &quic.Transport{Conn: local}
	t.Cleanup(func() { _ = wire.Close(); _ = local.Close() })
	to, err := net.ResolveUDPAddr("udp", e.tls)
	if err != nil {
		t.Fatal(err)
	}
	conf := &tls.Config{RootCAs: e.roots, ServerName: e.host, NextProtos: []string{"h3"}, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	for _, resumed := range []bool{false, true} {
		conn, err := wire.DialEarly(t.Context(), to, conf, &quic.Config{})
		if err != nil {
			t.Fatal(err)
		}
		<-conn.HandshakeComplete()
		time.Sleep(200 * time.Millisecond) // the ticket comes after the handshake
		if state := conn.ConnectionState(); state.Used0RTT || state.TLS.DidResume != resumed {
			t.Errorf("early data %v, resumed %v; want none, and %v", state.Used0RTT, state.TLS.DidResume, resumed)
		}
		_ = conn.CloseWithError(0, "")
	}
}

// The certificate is for one name; who asks for another over that connection
// gets nothing.
func TestEdgeServesOneName(t *testing.T) {
	t.Parallel()
	e := startEdge(t, testDeployment())
	for _, protocol := range protocols {
		for _, host := range []string{"evil.example.net", "gateway", "media.internal:8005", "127.0.0.1"} {
			req := e.request(t, http.MethodGet, "/api/v1/users/me", nil, nil)
			req.Host = host
			if a := do(t, e.client(t, protocol), req); a.StatusCode != http.StatusNotFound || a.seen.Upstream != "" {
				t.Errorf("%s, Host %s: status %d from %q, want 404", protocol, host, a.StatusCode, a.seen.Upstream)
			}
		}
	}
	if _, err := tls.Dial("tcp", e.tls, &tls.Config{RootCAs: e.roots, ServerName: "evil.example.net"}); err == nil {
		t.Error("a handshake for another name succeeds")
	}
}

// Certificates are kept: a new process serves the one that there was.
func TestEdgeKeepsItsCertificate(t *testing.T) {
	t.Parallel()
	e := startEdge(t, testDeployment())
	serial := func() string {
		conn := e.raw(t, "h2")
		defer func() { _ = conn.Close() }()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	first := serial()
	for how, end := range map[string]func(){
		"a stop":  func() { e.stop(t) },
		"a crash": func() { _ = e.process.Process.Kill(); _ = e.process.Wait() },
	} {
		end()
		e.start(t)
		if again := serial(); again != first {
			t.Errorf("certificate %s after %s, %s before", again, how, first)
		}
	}
	s, err := mustParse(t, mustRender(t, testDeployment(), Gateway)).GetService("caddy")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range s.Volumes {
		if v.Type == "bind" && v.Source == "/var/lib/construct/caddy" && v.Target == "/data" {
			return
		}
	}
	t.Errorf("/data, where certificates are, is kept nowhere: %+v", s.Volumes)
}

// Without a domain, the edge is reached by its address, and by Prometheus'
// probe under its private name; both have certificates of its own authority.
func TestEdgeWithoutADomain(t *testing.T) {
	t.Parallel()
	d := wideOpen()
	d.Domain, d.ACMEEmail = "", ""
	e := startEdge(t, d)
	for _, protocol := range protocols {
		if a := e.ask(t, e.client(t, protocol), http.MethodGet, "/api/v1/users/me", nil, nil); a.StatusCode != http.StatusOK || a.seen.Upstream != "gateway" {
			t.Errorf("%s by address: status %d from %q", protocol, a.StatusCode, a.seen.Upstream)
		}
		if a := e.ask(t, e.client(t, protocol), http.MethodGet, "/health", nil, nil); a.Header.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: a browser would remember TLS of an address", protocol)
		}
	}
	byName := *e
	byName.host = Gateway.Host()
	if a := byName.get(t, "/health"); a.StatusCode != http.StatusOK {
		t.Errorf("by its private name: status %d", a.StatusCode)
	}
	req := e.request(t, http.MethodGet, "/health", nil, nil)
	req.URL.Scheme, req.URL.Host = "http", e.host+":80"
	if a := do(t, e.client(t, "HTTP/1.1"), req); a.StatusCode != http.StatusPermanentRedirect {
		t.Errorf("without TLS: status %d", a.StatusCode)
	}
}
