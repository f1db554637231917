package fleetcmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// dialer connects to hosts. Those behind a gateway share one connection to it.
type dialer struct {
	fleet   *fleet
	login   *login
	timeout time.Duration // bounds each connection

	mu   sync.Mutex
	hops map[string]*hop
}

// hop is a connection to a host that is dialled directly.
type hop struct {
	once   sync.Once
	client *ssh.Client
	err    error
}

// wayError is about the gateway, not about the host behind it.
type wayError struct {
	via string
	err error
}

func (e *wayError) Error() string {
	return "the way there leads through " + e.via + ": " + e.err.Error()
}
func (e *wayError) Unwrap() error { return e.err }

// connect logs in on a host. The connection is the dialer's to close.
func (d *dialer) connect(ctx context.Context, h host) (*ssh.Client, error) {
	if h.Via == "" {
		return d.direct(ctx, h)
	}
	gateway, err := d.fleet.find(h.Via)
	if err != nil {
		return nil, err
	}
	first, err := d.direct(ctx, gateway)
	if err != nil {
		return nil, &wayError{via: gateway.Name, err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	conn, err := first.DialContext(ctx, "tcp", d.at(h))
	if err != nil {
		return nil, fmt.Errorf("no answer at %s: %w", d.at(h), d.plain(err))
	}
	return d.handshake(ctx, conn, h)
}

// direct connects once; later callers get the same connection, or error.
func (d *dialer) direct(ctx context.Context, h host) (*ssh.Client, error) {
	d.mu.Lock()
	if d.hops[h.Name] == nil {
		d.hops[h.Name] = &hop{}
	}
	one := d.hops[h.Name]
	d.mu.Unlock()
	one.once.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, d.timeout)
		defer cancel()
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", d.at(h))
		if err != nil {
			one.err = fmt.Errorf("no answer at %s: %w", d.at(h), d.plain(err))
			return
		}
		one.client, one.err = d.handshake(ctx, conn, h)
	})
	return one.client, one.err
}

// handshake goes on only with the host whose key is pinned.
func (d *dialer) handshake(ctx context.Context, conn net.Conn, h host) (*ssh.Client, error) {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(h.HostKey))
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("host key in the stack's outputs: %w", err)
	}
	var other string
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	c, channels, requests, err := ssh.NewClientConn(conn, d.at(h), &ssh.ClientConfig{
		User: d.fleet.User, Auth: d.login.methods, HostKeyAlgorithms: []string{key.Type()},
		HostKeyCallback: func(_ string, _ net.Addr, shown ssh.PublicKey) error {
			if string(shown.Marshal()) == string(key.Marshal()) {
				return nil
			}
			other = ssh.FingerprintSHA256(shown)
			return errors.New("host key mismatch")
		},
	})
	switch {
	case other != "":
		err = fmt.Errorf("shows the host key %s, expected %s: nothing was sent to it", other, ssh.FingerprintSHA256(key))
	case err != nil && ctx.Err() != nil:
		err = fmt.Errorf("no answer at %s: %w", d.at(h), d.plain(ctx.Err()))
	case err != nil:
		err = fmt.Errorf("log in as %s: %w", d.fleet.User, err)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return ssh.NewClient(c, channels, requests), nil
}

func (d *dialer) at(h host) string { return net.JoinHostPort(h.Address, strconv.Itoa(d.fleet.Port)) }

// plain says what a person calls it.
func (d *dialer) plain(err error) error {
	var refused *ssh.OpenChannelError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("timed out after %s", d.timeout)
	case errors.As(err, &refused):
		return errors.New(strings.TrimSpace(refused.Message))
	}
	return err
}

// close ends the shared connections, and with them what goes through them.
func (d *dialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, h := range d.hops {
		if h.client != nil {
			_ = h.client.Close() // the session's outcome is known by now
		}
	}
	d.login.close()
}
