package command

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/construct-server/infra/sim/plugins/provider"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// The SDK fills these in; they are repeated for programs that bypass it.
const (
	defaultUser           = "root"
	defaultPort           = 22
	defaultDialErrorLimit = 10
	defaultPerDialTimeout = 15 // seconds; 0 is no limit
)

// endpoint is one SSH server to connect to.
type endpoint struct {
	address string
	// limit is how many failed dials are tolerated; -1 is no limit.
	limit  int
	config *ssh.ClientConfig
	// agent is the connection to the SSH agent, nil if none is used.
	agent net.Conn
}

func (e *endpoint) close() {
	if e.agent != nil {
		_ = e.agent.Close()
	}
}

// newEndpoint reads a connection or proxy.
func newEndpoint(ctx context.Context, c provider.Values) (*endpoint, error) {
	e := &endpoint{
		address: net.JoinHostPort(c.String("host"), strconv.Itoa(intOr(c, "port", defaultPort))),
		limit:   intOr(c, "dialErrorLimit", defaultDialErrorLimit),
		config: &ssh.ClientConfig{
			User:            defaultUser,
			HostKeyCallback: ssh.InsecureIgnoreHostKey(), //nolint:gosec // as the official provider does without hostKey
			Timeout:         time.Duration(intOr(c, "perDialTimeout", defaultPerDialTimeout)) * time.Second,
		},
	}
	if c.Has("user") {
		e.config.User = c.String("user")
	}
	if c.Has("hostKey") {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(c.String("hostKey")))
		if err != nil {
			return nil, fmt.Errorf("failed to parse host key: %w", err)
		}
		e.config.HostKeyCallback = ssh.FixedHostKey(key)
		e.config.HostKeyAlgorithms = []string{key.Type()}
	}
	if err := e.authenticate(ctx, c); err != nil {
		return nil, err
	}
	return e, nil
}

// authenticate offers the key, the password and the agent, in this order.
func (e *endpoint) authenticate(ctx context.Context, c provider.Values) error {
	if c.Has("privateKey") {
		signer, err := parseKey(c)
		if err != nil {
			return err
		}
		e.config.Auth = append(e.config.Auth, ssh.PublicKeys(signer))
	}
	if c.Has("password") {
		password := c.String("password")
		e.config.Auth = append(e.config.Auth, ssh.Password(password), ssh.KeyboardInteractive(
			func(_, _ string, questions []string, _ []bool) ([]string, error) {
				answers := make([]string, len(questions))
				for i := range answers {
					answers[i] = password
				}
				return answers, nil
			}))
	}
	socket := c.String("agentSocketPath")
	if socket == "" {
		socket = os.Getenv("SSH_AUTH_SOCK")
	}
	if socket == "" {
		return nil
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return fmt.Errorf("dial SSH agent %q: %w", socket, err)
	}
	e.agent = conn
	e.config.Auth = append(e.config.Auth, ssh.PublicKeysCallback(agent.NewClient(conn).Signers))
	return nil
}

func parseKey(c provider.Values) (ssh.Signer, error) {
	key := []byte(c.String("privateKey"))
	if c.Has("privateKeyPassword") {
		return ssh.ParsePrivateKeyWithPassphrase(key, []byte(c.String("privateKeyPassword")))
	}
	return ssh.ParsePrivateKey(key)
}

func intOr(v provider.Values, k string, otherwise int) int {
	if v.Has(k) {
		return v.Int(k)
	}
	return otherwise
}
