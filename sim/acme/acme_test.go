package acme_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/construct-server/infra/sim/acme"
	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/dns"
	"github.com/construct-server/infra/sim/pki"
	"github.com/stretchr/testify/require"
	client "golang.org/x/crypto/acme"
)

const domain = "chat.example.com"

// TestIssues gets a certificate as Caddy would: the name is resolved by the
// simulator's DNS, the challenge fetched from the address found there.
func TestIssues(t *testing.T) {
	t.Parallel()
	names, err := dns.Start(t.Context(), "127.0.0.1:0", func() []api.RecordSet {
		return []api.RecordSet{{Zone: domain, Name: "@", Type: "A", TTL: 60, Values: []string{"127.0.0.1"}}}
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, names.Close()) })
	challenges := http.NewServeMux()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	web := &http.Server{Handler: challenges, ReadHeaderTimeout: time.Second}
	go func() { _ = web.Serve(l) }()
	t.Cleanup(func() { _ = web.Close() })

	ca, err := pki.New()
	require.NoError(t, err)
	s, err := acme.Start(t.Context(), acme.Options{
		Addr: "127.0.0.1:0", CA: ca, Resolver: names.Addr, HTTPPort: l.Addr().(*net.TCPAddr).Port,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })

	trusted := x509.NewCertPool()
	require.True(t, trusted.AppendCertsFromPEM(ca.PEM()))
	c := &client.Client{
		Key: newKey(t), DirectoryURL: s.Directory,
		HTTPClient: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}}},
	}
	chain := issue(t, c, challenges)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(s.RootPEM))
	between := x509.NewCertPool()
	for _, der := range chain[1:] {
		cert, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		between.AddCert(cert)
	}
	leaf, err := x509.ParseCertificate(chain[0])
	require.NoError(t, err)
	_, err = leaf.Verify(x509.VerifyOptions{DNSName: domain, Roots: roots, Intermediates: between})
	require.NoError(t, err)
}

func newKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key
}

// issue goes through an order with the http-01 challenge.
func issue(t *testing.T, c *client.Client, challenges *http.ServeMux) [][]byte {
	t.Helper()
	_, err := c.Register(t.Context(), &client.Account{}, client.AcceptTOS)
	require.NoError(t, err)
	order, err := c.AuthorizeOrder(t.Context(), client.DomainIDs(domain))
	require.NoError(t, err)
	authz, err := c.GetAuthorization(t.Context(), order.AuthzURLs[0])
	require.NoError(t, err)
	for _, ch := range authz.Challenges {
		if ch.Type != "http-01" {
			continue
		}
		answer, err := c.HTTP01ChallengeResponse(ch.Token)
		require.NoError(t, err)
		challenges.HandleFunc(c.HTTP01ChallengePath(ch.Token), func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) })
		_, err = c.Accept(t.Context(), ch)
		require.NoError(t, err)
	}
	_, err = c.WaitAuthorization(t.Context(), authz.URI)
	require.NoError(t, err)
	order, err = c.WaitOrder(t.Context(), order.URI)
	require.NoError(t, err)
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{domain}}, newKey(t))
	require.NoError(t, err)
	chain, _, err := c.CreateOrderCert(t.Context(), order.FinalizeURL, csr, true)
	require.NoError(t, err)
	return chain
}
