package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// serve runs the broker until a signal, then closes it cleanly, which writes
// its state; after a kill it is rebuilt from the segments.
func serve(ctx context.Context, c config) error {
	log.SetPrefix("redpanda stand-in: ")
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := os.MkdirAll(c.DataDir, 0o750); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	listener, err := listen(c.Listen, c.Advertise)
	if err != nil {
		return err
	}
	opts := []kfake.Opt{
		kfake.NumBrokers(1), kfake.ClusterID("redpanda.stand-in"), kfake.DataDir(c.DataDir),
		kfake.DefaultNumPartitions(c.Partitions),
		kfake.ListenFn(func(string, string) (net.Listener, error) { return listener, nil }),
	}
	if c.Sync {
		opts = append(opts, kfake.SyncWrites())
	}
	if c.AutoCreate {
		opts = append(opts, kfake.AllowAutoTopicCreation())
	}
	cluster, err := kfake.NewCluster(opts...)
	if err != nil {
		return fmt.Errorf("start broker: %w", err)
	}
	defer cluster.Close()
	log.Printf("this is not Redpanda: a single Kafka-protocol broker, listening on %v, advertised as %s, data in %s",
		c.Listen, c.Advertise, c.DataDir)

	admin, err := localAdmin(listener.local())
	if err != nil {
		return err
	}
	defer admin.Close()
	server := &http.Server{
		Addr: c.Admin, ReadHeaderTimeout: 10 * time.Second,
		Handler: adminHandler(&observer{client: admin, dataDir: c.DataDir, started: time.Now()}),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve admin port: %w", err)
	case <-ctx.Done():
		log.Print("stopping")
		return server.Close()
	}
}

// localAdmin is a client that reaches the broker by its own socket, whatever
// address is advertised.
func localAdmin(addr string) (*kadm.Client, error) {
	c, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.Dialer(func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", addr)
	}))
	if err != nil {
		return nil, fmt.Errorf("create admin client: %w", err)
	}
	return kadm.NewClient(c), nil
}

// advertised is a listener over one or more sockets that claims an address of
// its own: kfake tells its clients whatever Addr says.
type advertised struct {
	addr    string
	sockets []net.Listener
	conns   chan net.Conn
	done    chan struct{}
}

type hostPort string

func (hostPort) Network() string  { return "tcp" }
func (h hostPort) String() string { return string(h) }

func listen(addrs []string, advertise string) (*advertised, error) {
	a := &advertised{addr: advertise, conns: make(chan net.Conn), done: make(chan struct{})}
	for _, addr := range addrs {
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
		if err != nil {
			_ = a.Close()
			return nil, fmt.Errorf("bind %q: %w", addr, err)
		}
		a.sockets = append(a.sockets, l)
		go a.accept(l)
	}
	return a, nil
}

func (a *advertised) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		select {
		case a.conns <- c:
		case <-a.done:
			_ = c.Close()
			return
		}
	}
}

// Accept returns the next connection to any of the sockets.
func (a *advertised) Accept() (net.Conn, error) {
	select {
	case c := <-a.conns:
		return c, nil
	case <-a.done:
		return nil, net.ErrClosed
	}
}

// Addr is the advertised address.
func (a *advertised) Addr() net.Addr { return hostPort(a.addr) }

// Close closes the sockets, once.
func (a *advertised) Close() error {
	select {
	case <-a.done:
		return nil
	default:
		close(a.done)
	}
	var errs []error
	for _, l := range a.sockets {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// local is an address by which this process reaches itself.
func (a *advertised) local() string {
	t, ok := a.sockets[0].Addr().(*net.TCPAddr)
	if ok && t.IP.IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", t.Port)
	}
	return a.sockets[0].Addr().String()
}
