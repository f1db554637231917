// Package acme runs Pebble, Let's Encrypt's test server, inside the simulator:
// a real ACME directory that validates against the simulated hosts, so that
// automatic HTTPS is real too.
package acme

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/construct-server/infra/sim/pki"
	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
)

// Options configure a Server.
type Options struct {
	Addr string  // host:port to listen on; port 0 chooses one
	CA   *pki.CA // required; signs the directory's own certificate
	// Resolver is host:port of the DNS server that validation asks.
	Resolver string
	// HTTPPort and TLSPort are where challenges are answered; default 80 and 443.
	HTTPPort, TLSPort int
	// Log receives Pebble's log; default: discarded.
	Log io.Writer
}

// Server is a running ACME directory.
type Server struct {
	// Directory is the directory's URL.
	Directory string
	// RootPEM is the root that issued certificates chain to. It is made anew
	// for every server.
	RootPEM []byte
	http    *http.Server
}

// Authorisations and orders are to be polled again after so many seconds.
const retryAfter = 1

// readHeaderTimeout bounds a client that connects and says nothing.
const readHeaderTimeout = 10 * time.Second

// quick makes Pebble answer at once and without made-up nonce errors: those
// test ACME clients, and here they would only make runs differ.
var quick = map[string]string{"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}

// Start runs an ACME directory over HTTPS.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.HTTPPort == 0 {
		o.HTTPPort = 80
	}
	if o.TLSPort == 0 {
		o.TLSPort = 443
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	for k, v := range quick { // Pebble reads these when it is built, and nowhere else
		if err := os.Setenv(k, v); err != nil {
			return nil, fmt.Errorf("set %s: %w", k, err)
		}
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("serve ACME on %s: %w", o.Addr, err)
	}
	host, _, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return nil, fmt.Errorf("serve ACME on %s: %w", o.Addr, err)
	}
	cert, err := o.CA.Server(host, "localhost")
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}

	logger := log.New(o.Log, "pebble: ", log.LstdFlags)
	store := db.NewMemoryStore()
	profiles := map[string]ca.Profile{"default": {Description: "The default profile"}}
	issuer := ca.New(logger, store, "", 0, 1, profiles)
	validator := va.New(logger, o.HTTPPort, o.TLSPort, false, o.Resolver, store)
	front := wfe.New(logger, store, validator, issuer, false, false, retryAfter, retryAfter)
	root := issuer.GetRootCert(0)
	if root == nil {
		return nil, errors.Join(errors.New("start ACME: no root certificate"), listener.Close())
	}
	s := &Server{
		Directory: "https://" + listener.Addr().String() + wfe.DirectoryPath,
		RootPEM:   root.PEM(),
		http: &http.Server{
			Handler:           front.Handler(),
			TLSConfig:         &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12},
			ReadHeaderTimeout: readHeaderTimeout,
			ErrorLog:          logger,
		},
	}
	go func() { _ = s.http.ServeTLS(listener, "", "") }() // ends with Close
	return s, nil
}

// Close stops the directory.
func (s *Server) Close() error {
	if err := s.http.Close(); err != nil && !strings.Contains(err.Error(), "closed") {
		return fmt.Errorf("close ACME server: %w", err)
	}
	return nil
}
