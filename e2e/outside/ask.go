package outside

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// Ask sends a request without a body, with headers as they are given.
func (c *Client) Ask(ctx context.Context, method, path string, header http.Header) (Answer, error) {
	return c.send(ctx, method, path, header, nil)
}

// HTTP3 is a client as New's that speaks HTTP/3 and nothing else. Close it.
func HTTP3(domain, address, rootPEM string) (*Client, func() error, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(rootPEM)) {
		return nil, nil, fmt.Errorf("no certificate in the root's PEM")
	}
	transport := &http3.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13},
		Dial: func(ctx context.Context, addr string, t *tls.Config, q *quic.Config) (*quic.Conn, error) {
			_, port, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, err
			}
			return quic.DialAddrEarly(ctx, net.JoinHostPort(address, port), t, q)
		},
	}
	return &Client{base: "https://" + domain, http: &http.Client{Timeout: requestTimeout, Transport: transport}}, transport.Close, nil
}
