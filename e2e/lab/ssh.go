package lab

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/construct-server/infra/deploy"
)

const dialTimeout = 10 * time.Second

// SSHTarget is one host of a deployment, reached as an operator reaches it:
// through the gateway, with every host key pinned.
type SSHTarget struct {
	KeyPath         string // the operator's private key
	HostKeySeed     string // the deployment's
	Port            int
	Gateway, Server Server
}

// SSH is a connection to a host.
type SSH struct {
	client, jump *ssh.Client
}

// Dial connects to a host.
func Dial(ctx context.Context, t SSHTarget) (*SSH, error) {
	data, err := os.ReadFile(t.KeyPath)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(data)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", t.KeyPath, err)
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(t.Gateway.PublicIP, strconv.Itoa(t.Port)))
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", t.Gateway.Name, err)
	}
	first, err := t.handshake(conn, signer, t.Gateway)
	if err != nil {
		return nil, err
	}
	if t.Server.Name == t.Gateway.Name {
		return &SSH{client: first}, nil
	}
	conn, err = first.DialContext(ctx, "tcp", net.JoinHostPort(t.Server.PrivateIP, strconv.Itoa(t.Port)))
	if err != nil {
		_ = first.Close()
		return nil, fmt.Errorf("dial %s through %s: %w", t.Server.Name, t.Gateway.Name, err)
	}
	second, err := t.handshake(conn, signer, t.Server)
	if err != nil {
		_ = first.Close()
		return nil, err
	}
	return &SSH{client: second, jump: first}, nil
}

func (t SSHTarget) handshake(conn net.Conn, signer ssh.Signer, server Server) (*ssh.Client, error) {
	_, line, err := deploy.HostKey(t.HostKeySeed, server.Name)
	if err != nil {
		return nil, err
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		return nil, fmt.Errorf("parse host key of %s: %w", server.Name, err)
	}
	c, chans, reqs, err := ssh.NewClientConn(conn, server.Name, &ssh.ClientConfig{
		User: AdminUser, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		// Hosts have a key of another type as well.
		HostKeyCallback: ssh.FixedHostKey(key), HostKeyAlgorithms: []string{key.Type()}, Timeout: dialTimeout,
	})
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("log in to %s: %w", server.Name, err)
	}
	return ssh.NewClient(c, chans, reqs), nil
}

// Run runs a command and returns its standard output.
func (s *SSH) Run(ctx context.Context, command string) (string, error) {
	session, err := s.client.NewSession()
	if err != nil {
		return "", fmt.Errorf("open a session: %w", err)
	}
	defer func() { _ = session.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = s.client.Close() })
	defer stop()
	var stdout, stderr bytes.Buffer
	session.Stdout, session.Stderr = &stdout, &stderr
	if err := session.Run(command); err != nil {
		return stdout.String(), fmt.Errorf("run %q: %w: %s", command, err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

// Close ends the connection.
func (s *SSH) Close() error {
	err := s.client.Close()
	if s.jump != nil {
		_ = s.jump.Close()
	}
	return err
}

// KnownHosts is a known_hosts file with every server's pinned key, under each
// of its addresses.
func KnownHosts(seed string, port int, servers []Server) (string, error) {
	var b strings.Builder
	for _, s := range servers {
		_, line, err := deploy.HostKey(seed, s.Name)
		if err != nil {
			return "", err
		}
		for _, address := range []string{s.PublicIP, s.PrivateIP} {
			host := address
			if port != 22 {
				host = fmt.Sprintf("[%s]:%d", address, port)
			}
			fmt.Fprintf(&b, "%s %s\n", host, strings.TrimSpace(line))
		}
	}
	return b.String(), nil
}
