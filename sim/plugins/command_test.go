package plugins_test

import (
	"crypto/ed25519"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gliderlabs/ssh"
	"github.com/stretchr/testify/require"
	gossh "golang.org/x/crypto/ssh"
)

// sshHost is an SSH server that records commands and answers "ran <text>".
type sshHost struct {
	host, port       string
	hostKey, userKey string // authorized line; private PEM
	mu               sync.Mutex
	ran              []string
}

func newSSHHost(t *testing.T) *sshHost {
	t.Helper()
	hostPEM, hostLine := newKey(t)
	userPEM, userLine := newKey(t)
	h := &sshHost{hostKey: hostLine, userKey: userPEM}
	allowed, _, _, _, err := ssh.ParseAuthorizedKey([]byte(userLine))
	require.NoError(t, err)
	srv := &ssh.Server{
		Handler:          h.serve,
		PublicKeyHandler: func(_ ssh.Context, key ssh.PublicKey) bool { return ssh.KeysEqual(key, allowed) },
	}
	require.NoError(t, srv.SetOption(ssh.HostKeyPEM([]byte(hostPEM))))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	h.host, h.port, err = net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return h
}

func (h *sshHost) serve(s ssh.Session) {
	in, _ := io.ReadAll(s)
	h.mu.Lock()
	h.ran = append(h.ran, fmt.Sprintf("%s <%s>", s.RawCommand(), in))
	h.mu.Unlock()
	if strings.HasPrefix(s.RawCommand(), "fail") {
		fmt.Fprintln(s.Stderr(), "it broke")
		_ = s.Exit(3)
		return
	}
	fmt.Fprintln(s, "ran", s.RawCommand())
}

// commands returns and forgets what was run.
func (h *sshHost) commands() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	ran := h.ran
	h.ran = nil
	return ran
}

func newKey(t *testing.T) (private, line string) {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	block, err := gossh.MarshalPrivateKey(key, "")
	require.NoError(t, err)
	p, err := gossh.NewPublicKey(pub)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(block)), strings.TrimSpace(string(gossh.MarshalAuthorizedKey(p)))
}

func TestCommandLifeCycle(t *testing.T) {
	h := newSSHHost(t)
	e := newEngine(t, "command")
	e.configure(
		[]string{"host=" + h.host, "port=" + h.port, "hostKey=" + h.hostKey, "create=start v1", "update=change v1"},
		[]string{"privateKey=" + h.userKey, "stdin=s3cret-bundle"})

	require.Equal(t, 2, e.preview()["create"])
	require.Empty(t, h.commands(), "a preview must run nothing")

	e.up()
	require.Equal(t, []string{"start v1 <s3cret-bundle>"}, h.commands())
	require.Equal(t, "ran start v1", strings.TrimSpace(e.run("stack", "output", "stdout")))

	require.Equal(t, map[string]int{"same": 2}, e.up())
	require.Empty(t, h.commands(), "a no-op must run nothing")

	e.configure([]string{"update=change v2"}, nil)
	e.up()
	require.Equal(t, []string{"change v2 <s3cret-bundle>"}, h.commands())

	e.configure([]string{"trigger=t1"}, nil)
	e.up()
	require.Equal(t, []string{"start v1 <s3cret-bundle>", "echo deleted <s3cret-bundle>"}, h.commands())

	e.run("refresh", "--yes", "--skip-preview")
	require.Equal(t, map[string]int{"same": 2}, e.up())

	state, err := os.ReadFile(filepath.Join(e.dir, "..", "state", ".pulumi", "stacks", "command-under-test", "test.json"))
	require.NoError(t, err)
	require.NotContains(t, string(state), "s3cret-bundle")
	require.NotContains(t, string(state), "PRIVATE KEY")

	e.configure([]string{"update=fail now"}, nil)
	_, err = e.try("up", "--yes", "--skip-preview")
	require.Error(t, err)
	require.Contains(t, e.last, `Process exited with status 3: running "fail now":`)
	require.Contains(t, e.last, "it broke")
	require.NotContains(t, e.last, "s3cret-bundle")
	h.commands()

	e.configure([]string{"update=change v3"}, nil)
	e.up()
	require.Equal(t, []string{"change v3 <s3cret-bundle>"}, h.commands(), "what failed is tried again")

	e.run("destroy", "--yes", "--skip-preview")
	require.Equal(t, []string{"echo deleted <s3cret-bundle>"}, h.commands())
}

func TestCommandWrongHostKey(t *testing.T) {
	h := newSSHHost(t)
	e := newEngine(t, "command")
	_, other := newKey(t)
	e.configure(
		[]string{"host=" + h.host, "port=" + h.port, "hostKey=" + other, "create=start", "update=change"},
		[]string{"privateKey=" + h.userKey, "stdin=x"})
	_, err := e.try("up", "--yes", "--skip-preview")
	require.Error(t, err)
	require.Contains(t, e.last, "after 2 failed attempts: ssh: handshake failed")
	require.Empty(t, h.commands())
}
