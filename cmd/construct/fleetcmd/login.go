package fleetcmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// login is how the operator proves who he is.
type login struct {
	methods []ssh.AuthMethod
	agent   net.Conn // nil: a key from a file
}

// newLogin takes the key in a file, or without one the agent's.
func newLogin(ctx context.Context, path string) (*login, error) {
	if path == "" {
		return agentLogin(ctx)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the private key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(data)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		return nil, fmt.Errorf("private key %s: is protected by a passphrase (want it in the SSH agent, and no path configured)", path)
	}
	if err != nil {
		return nil, fmt.Errorf("private key %s: %w", path, err)
	}
	return &login{methods: []ssh.AuthMethod{ssh.PublicKeys(signer)}}, nil
}

func agentLogin(ctx context.Context) (*login, error) {
	socket := os.Getenv("SSH_AUTH_SOCK")
	if socket == "" {
		return nil, errors.New("no way to log in (want --ssh-private-key, " + keySetting + " or an SSH agent)")
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("reach the SSH agent: %w", err)
	}
	return &login{methods: []ssh.AuthMethod{ssh.PublicKeysCallback(agent.NewClient(conn).Signers)}, agent: conn}, nil
}

func (l *login) close() {
	if l.agent != nil {
		_ = l.agent.Close() // nothing is left to be said to it
	}
}
