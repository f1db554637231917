// Package outside is a user of the deployed messenger: it knows the public
// name, the certificate authority and the API, and nothing of the fleet.
package outside

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"time"
)

// requestTimeout is longer than the longest long-poll, 60 s.
const requestTimeout = 75 * time.Second

// Client sends requests to a deployment's public name.
type Client struct {
	base string
	http *http.Client
}

// New is a client of https://domain at an address, trusting only rootPEM.
func New(domain, address, rootPEM string) (*Client, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(rootPEM)) {
		return nil, fmt.Errorf("no certificate in the root's PEM")
	}
	var dialer net.Dialer
	return &Client{base: "https://" + domain, http: &http.Client{
		Timeout: requestTimeout,
		Transport: &http.Transport{
			ForceAttemptHTTP2: true,
			TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				_, port, err := net.SplitHostPort(addr)
				if err != nil {
					return nil, err
				}
				return dialer.DialContext(ctx, network, net.JoinHostPort(address, port))
			},
		},
	}}, nil
}

// Answer is what came back.
type Answer struct {
	Status  int
	Proto   string // "HTTP/2.0"
	Header  http.Header
	Body    []byte
	Peer    *x509.Certificate // the server's
	Service string            // the stand-in service that answered
	Version string
}

// Decode reads a JSON body.
func (a Answer) Decode(into any) error {
	if a.Status != http.StatusOK && a.Status != http.StatusCreated {
		return fmt.Errorf("status %d: %s", a.Status, a.Body)
	}
	return json.Unmarshal(a.Body, into)
}

// Do sends a request; token and body may be empty.
func (c *Client) Do(ctx context.Context, method, path, token string, body any) (Answer, error) {
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return Answer{}, err
		}
		payload = bytes.NewReader(data)
	}
	return c.send(ctx, method, path, headers(token, "application/json"), payload)
}

func headers(token, kind string) http.Header {
	h := http.Header{"Content-Type": {kind}}
	if token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
	return h
}

// Upload posts a file with its upload token.
func (c *Client) Upload(ctx context.Context, path, uploadToken string, content []byte) (Answer, error) {
	var buffer bytes.Buffer
	form := multipart.NewWriter(&buffer)
	if err := form.WriteField("token", uploadToken); err != nil {
		return Answer{}, err
	}
	part, err := form.CreateFormFile("file", "picture.bin")
	if err != nil {
		return Answer{}, err
	}
	if _, err := part.Write(content); err != nil {
		return Answer{}, err
	}
	if err := form.Close(); err != nil {
		return Answer{}, err
	}
	return c.send(ctx, http.MethodPost, path, headers("", form.FormDataContentType()), &buffer)
}

func (c *Client) send(ctx context.Context, method, path string, header http.Header, body io.Reader) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return Answer{}, err
	}
	if header != nil {
		req.Header = header
	}
	if body == nil {
		req.Header.Del("Content-Type")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return Answer{}, fmt.Errorf("read %s %s: %w", method, path, err)
	}
	return Answer{
		Status: resp.StatusCode, Proto: resp.Proto, Header: resp.Header, Body: data, Peer: resp.TLS.PeerCertificates[0],
		Service: resp.Header.Get("X-Construct-Service"), Version: resp.Header.Get("X-Construct-Version"),
	}, nil
}
