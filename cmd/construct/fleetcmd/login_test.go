package fleetcmd_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// The agent lives in the environment, so this test runs alone.
func TestAgentLogsInWhereNoKeyIsNamed(t *testing.T) {
	s := newSite(t)
	data, err := os.ReadFile(filepath.Join(s.dir, "key"))
	require.NoError(t, err)
	key, err := ssh.ParseRawPrivateKey(data)
	require.NoError(t, err)
	keys := agent.NewKeyring()
	require.NoError(t, keys.Add(agent.AddedKey{PrivateKey: key}))
	socket := filepath.Join(s.dir, "agent")
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", socket)
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(keys, conn) }()
		}
	}()
	t.Setenv("SSH_AUTH_SOCK", socket)
	out, errOut, code := s.run(t, "", "status", "--ssh-private-key", "")
	assert.Equal(t, 0, code, "%s%s", out, errOut)

	t.Setenv("SSH_AUTH_SOCK", "")
	_, errOut, code = s.run(t, "", "status", "--ssh-private-key", "")
	assert.Equal(t, 2, code)
	assert.Contains(t, errOut, "no way to log in (want --ssh-private-key, construct:ssh.privateKeyPath or an SSH agent)")
}

func TestKeyWithPassphraseBelongsIntoTheAgent(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte("passphrase"))
	require.NoError(t, err)
	path := filepath.Join(s.dir, "locked")
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(block), 0o600))
	_, errOut, code := s.run(t, "", "status", "--ssh-private-key", path)
	assert.Equal(t, 2, code)
	assert.Contains(t, errOut, "is protected by a passphrase (want it in the SSH agent")
}
