package sim

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/construct-server/infra/sim/acme"
	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/control"
	"github.com/construct-server/infra/sim/digitalocean"
	"github.com/construct-server/infra/sim/dns"
	"github.com/construct-server/infra/sim/hetzner"
)

// Simulator is a running simulator.
type Simulator struct {
	// Control is what /_sim/ offers, without HTTP.
	Control *control.Control

	info    control.Info
	closers []func() error // run in reverse order
}

// URLs says where a Simulator listens.
type URLs struct {
	DigitalOcean string // for digitalocean:apiEndpoint; clients append /v2/…
	Hetzner      string // for hcloud:endpoint; includes /v1
	Control      string // ends in /_sim
}

// readHeaderTimeout bounds a client that connects and says nothing.
const readHeaderTimeout = 10 * time.Second

// closeTimeout bounds the destruction of all hosts.
const closeTimeout = 2 * time.Minute

// Start runs a simulator until Close. The context bounds the start only.
func Start(ctx context.Context, o Options) (*Simulator, error) {
	if err := o.defaults(); err != nil {
		return nil, fmt.Errorf("start simulator: %w", err)
	}
	s := &Simulator{}
	s.onClose(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		return o.Backend.Close(ctx)
	})
	if err := s.start(ctx, o); err != nil {
		return nil, fmt.Errorf("start simulator: %w", errors.Join(err, s.Close()))
	}
	return s, nil
}

func (s *Simulator) start(ctx context.Context, o Options) error {
	logger := log.New(o.Log, "", log.LstdFlags)
	s.Control = control.New(o.Backend, logger.Printf)
	s.onClose(func() error { s.Control.Close(); return nil })
	do := digitalocean.New(digitalocean.Options{
		Backend: s.Control.Backend(), Speed: *o.Speed, RequestsPerHour: o.RequestsPerHour, Logf: logger.Printf,
	})
	s.onClose(func() error { do.Close(); return nil })
	hz := hetzner.New(hetzner.Options{
		Backend: s.Control.Backend(), Speed: *o.Speed, RequestsPerHour: o.RequestsPerHour, Logf: logger.Printf,
	})
	s.onClose(func() error { hz.Close(); return nil })

	s.info = control.Info{
		Hosts: o.Backend.Kind(), PublicPrefix: o.Backend.PublicPrefix().String(),
		SSHPort: o.SSHPort, CAPEM: string(o.CA.PEM()),
	}
	if err := s.startServices(ctx, o, func() []api.RecordSet { return append(do.Records(), hz.Records()...) }); err != nil {
		return err
	}
	// One port is enough: godo resolves "/v2/…" against the root, hcloud-go
	// appends to ".../v1", and the paths never meet.
	mux := http.NewServeMux()
	mux.Handle("/v2/", s.Control.Wrap(do))
	mux.Handle("/v1/", s.Control.Wrap(hz))
	mux.Handle("/_sim/", s.Control.Handler())
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("serve the APIs: %w", err)
	}
	s.serve(listener, mux, logger)
	base := "http://" + listener.Addr().String()
	s.info.DigitalOcean, s.info.Hetzner, s.info.Control = base, base+"/v1", base+"/_sim"
	s.Control.SetInfo(s.info)
	return nil
}

// startServices runs what hosts and their clients reach besides the APIs.
func (s *Simulator) startServices(ctx context.Context, o Options, records dns.Source) error {
	port := func(p string) string {
		if o.Backend.Kind() != "container" {
			p = freePort
		}
		return net.JoinHostPort(o.Services, p)
	}
	names, err := dns.Start(ctx, port(dnsPort), records)
	if err != nil {
		return err
	}
	s.onClose(names.Close)
	s.info.DNS = names.Addr
	if o.Registry != nil {
		if err := s.startRegistry(ctx, o, port(registryPort)); err != nil {
			return err
		}
	}
	if !o.ACME {
		return nil
	}
	ca, err := acme.Start(ctx, acme.Options{Addr: port(acmePort), CA: o.CA, Resolver: names.Addr, Log: o.Log})
	if err != nil {
		return err
	}
	s.onClose(ca.Close)
	s.info.ACMEDirectory, s.info.ACMERootPEM = ca.Directory, string(ca.RootPEM)
	return nil
}

func (s *Simulator) startRegistry(ctx context.Context, o Options, addr string) error {
	cert, err := o.CA.Server(o.Services, "localhost")
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("serve the registry: %w", err)
	}
	s.info.Registry = listener.Addr().String()
	conf := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	s.serve(tls.NewListener(listener, conf), o.Registry, log.New(o.Log, "registry: ", log.LstdFlags))
	return nil
}

// serve answers HTTP on a listener until Close.
func (s *Simulator) serve(l net.Listener, h http.Handler, logger *log.Logger) {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: readHeaderTimeout, ErrorLog: logger}
	go func() { _ = srv.Serve(l) }() // ends with Close
	s.onClose(srv.Close)
}

func (s *Simulator) onClose(f func() error) { s.closers = append(s.closers, f) }

// URLs says where the APIs are.
func (s *Simulator) URLs() URLs {
	return URLs{DigitalOcean: s.info.DigitalOcean, Hetzner: s.info.Hetzner, Control: s.info.Control}
}

// Info says where everything is; the same as GET /_sim/info.
func (s *Simulator) Info() control.Info { return s.info }

// Close stops listening, ends running actions, and removes every host, network
// and volume.
func (s *Simulator) Close() error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	s.closers = nil
	return errors.Join(errs...)
}
