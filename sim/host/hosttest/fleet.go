package hosttest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/construct-server/infra/sim/host"
)

// Key is an ed25519 pair in the forms that user data and clients want.
type Key struct {
	Signer ssh.Signer
	PEM    string
	Line   string // authorized_keys format
}

// NewKey makes a key.
func NewKey(t *testing.T) Key {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	return Key{signer, string(pem.EncodeToMemory(block)), line}
}

// Fleet is a backend with one private network, and what it takes to log in to
// the hosts that are booted in it.
type Fleet struct {
	host.Backend
	Port     int           // of the hosts' sshd
	Private  netip.Prefix  // of the network "net-1"
	Patience time.Duration // how long a boot may take

	Login, HostKey Key
}

// Network is the id of a Fleet's private network.
const Network = "net-1"

// NewFleet makes the private network. The backend is closed with the test.
func NewFleet(t *testing.T, b host.Backend, port int, private netip.Prefix, patience time.Duration) *Fleet {
	t.Helper()
	f := &Fleet{Backend: b, Port: port, Private: private, Patience: patience, Login: NewKey(t), HostKey: NewKey(t)}
	t.Cleanup(func() {
		if err := f.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := f.CreateNetwork(t.Context(), host.Network{ID: Network, Prefix: private, MTU: 1450}); err != nil {
		t.Fatal(err)
	}
	return f
}

// UserData has a user construct and the fleet's host key.
func (f *Fleet) UserData() string {
	return fmt.Sprintf(`#cloud-config
users:
  - name: construct
    shell: /bin/bash
    sudo: ALL=(ALL) NOPASSWD:ALL
    ssh_authorized_keys: [%q]
ssh_keys:
  ed25519_private: |
    %s
  ed25519_public: %s
`, f.Login.Line, strings.ReplaceAll(strings.TrimSpace(f.HostKey.PEM), "\n", "\n    "), f.HostKey.Line)
}

// PrivateAddr is the n-th address of the private network.
func (f *Fleet) PrivateAddr(n int) netip.Addr {
	addr := f.Private.Masked().Addr()
	for range n {
		addr = addr.Next()
	}
	return addr
}

// Boot creates a host with a public and the n-th private address, and returns
// where its sshd will be. change may alter its specification.
func (f *Fleet) Boot(t *testing.T, id string, n int, change func(*host.Spec)) string {
	t.Helper()
	addr, err := f.NextPublic()
	if err != nil {
		t.Fatal(err)
	}
	spec := host.Spec{
		ID: id, Hostname: id, UserData: f.UserData(), AuthorizedKeys: []string{f.Login.Line}, MemoryMB: 1024,
		PublicIPv4: addr, NetworkID: Network, PrivateIPv4: f.PrivateAddr(n),
	}
	if change != nil {
		change(&spec)
	}
	if err := f.Create(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	return f.SSH(addr)
}

// SSH is where the sshd of the host with an address is.
func (f *Fleet) SSH(addr netip.Addr) string {
	return net.JoinHostPort(addr.String(), strconv.Itoa(f.Port))
}

// Config logs a user in and pins the host key.
func (f *Fleet) Config(user string, login Key) *ssh.ClientConfig {
	return &ssh.ClientConfig{
		User:            user,
		Auth:            []ssh.AuthMethod{ssh.PublicKeys(login.Signer)},
		HostKeyCallback: ssh.FixedHostKey(f.HostKey.Signer.PublicKey()),
		Timeout:         5 * time.Second,
	}
}

// Dial logs in once.
func (f *Fleet) Dial(addr, user string, login Key) (*ssh.Client, error) {
	return ssh.Dial("tcp", addr, f.Config(user, login))
}

// Await logs in as the user data's user as soon as the host lets it.
func (f *Fleet) Await(t *testing.T, addr string) *ssh.Client {
	t.Helper()
	return f.await(t, func() (*ssh.Client, error) { return f.Dial(addr, "construct", f.Login) })
}

// AwaitThrough is Await by way of another host.
func (f *Fleet) AwaitThrough(t *testing.T, gateway *ssh.Client, addr string) *ssh.Client {
	t.Helper()
	return f.await(t, func() (*ssh.Client, error) { return f.Through(gateway, addr) })
}

func (f *Fleet) await(t *testing.T, dial func() (*ssh.Client, error)) *ssh.Client {
	t.Helper()
	deadline := time.Now().Add(f.Patience)
	for {
		client, err := dial()
		if err == nil {
			t.Cleanup(func() { _ = client.Close() })
			return client
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(f.Patience / 1000)
	}
}

// Through logs in by way of another host, as ssh -J does.
func (f *Fleet) Through(gateway *ssh.Client, addr string) (*ssh.Client, error) {
	conn, err := gateway.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	c, channels, requests, err := ssh.NewClientConn(conn, addr, f.Config("construct", f.Login))
	if err != nil {
		return nil, err
	}
	return ssh.NewClient(c, channels, requests), nil
}

// Run runs a command and returns its standard output.
func Run(t *testing.T, client *ssh.Client, command, stdin string) (string, error) {
	t.Helper()
	session, err := client.NewSession()
	if err != nil {
		return "", err
	}
	defer func() { _ = session.Close() }()
	session.Stdin = strings.NewReader(stdin)
	out, err := session.Output(command)
	return string(out), err
}
