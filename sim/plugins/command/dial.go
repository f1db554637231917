package command

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/construct-server/infra/sim/plugins/provider"
	"golang.org/x/crypto/ssh"
)

// Delays between failed dials, as the official provider has them.
const (
	firstDelay  = 100 * time.Millisecond
	delayFactor = 1.5
	maxDelay    = 5 * time.Second
)

// client is an SSH connection, through a proxy or direct.
type client struct {
	*ssh.Client
	under []func()
}

// Close closes the connection and what it runs over.
func (c *client) Close() error {
	err := c.Client.Close()
	for _, f := range c.under {
		f()
	}
	return err
}

// dial connects to the host of a connection.
func dial(ctx context.Context, c provider.Values) (*client, error) {
	target, err := newEndpoint(ctx, c)
	if err != nil {
		return nil, err
	}
	if !c.Has("proxy") {
		conn, err := retry(ctx, "Dial", target.limit, func() (*ssh.Client, error) {
			return ssh.Dial("tcp", target.address, target.config)
		})
		if err != nil {
			target.close()
			return nil, err
		}
		return &client{Client: conn, under: []func(){target.close}}, nil
	}
	conn, err := dialProxied(ctx, c.Object("proxy"), target)
	if err != nil {
		target.close()
		return nil, fmt.Errorf("proxy: %w", err)
	}
	return conn, nil
}

// dialProxied connects to target through the proxy. Each of the three steps
// has its own retries; as in the official provider the last one retries a
// handshake on the same connection, so that its failure is final in effect.
func dialProxied(ctx context.Context, c provider.Values, target *endpoint) (*client, error) {
	proxy, err := newEndpoint(ctx, c)
	if err != nil {
		return nil, err
	}
	bastion, err := retry(ctx, "Dial proxy", proxy.limit, func() (*ssh.Client, error) {
		return ssh.Dial("tcp", proxy.address, proxy.config)
	})
	if err != nil {
		proxy.close()
		return nil, err
	}
	under := []func(){func() { _ = bastion.Close() }, proxy.close, target.close}
	conn, err := retry(ctx, "Dial from proxy", target.limit, func() (net.Conn, error) {
		return bastion.Dial("tcp", target.address)
	})
	if err != nil {
		_ = bastion.Close()
		proxy.close()
		return nil, err
	}
	inner, err := retry(ctx, "Dial", target.limit, func() (*ssh.Client, error) {
		sc, channels, requests, err := ssh.NewClientConn(conn, target.address, target.config)
		if err != nil {
			return nil, err
		}
		return ssh.NewClient(sc, channels, requests), nil
	})
	if err != nil {
		_ = bastion.Close()
		proxy.close()
		return nil, err
	}
	return &client{Client: inner, under: under}, nil
}

// retry tries until it works, the limit of failures is passed, or ctx ends.
func retry[T any](ctx context.Context, what string, limit int, try func() (T, error)) (T, error) {
	var none T
	delay := firstDelay
	for failures := 0; ; {
		v, err := try()
		if err == nil {
			return v, nil
		}
		failures++
		if limit > -1 && failures > limit {
			return none, fmt.Errorf("after %d failed attempts: %w", failures-1, err)
		}
		shown := "inf"
		if limit > -1 {
			shown = fmt.Sprint(limit)
		}
		provider.Status(ctx, "%s %d/%s failed: retrying", what, failures, shown)
		select {
		case <-ctx.Done():
			return none, ctx.Err()
		case <-time.After(delay):
		}
		delay = min(time.Duration(float64(delay)*delayFactor), maxDelay)
	}
}
