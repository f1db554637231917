package command_test

import (
	"crypto/ed25519"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gliderlabs/ssh"
	"github.com/pkg/sftp"
	"github.com/stretchr/testify/require"
	gossh "golang.org/x/crypto/ssh"
)

// host is an SSH server that records what it is asked.
type host struct {
	port    int
	hostKey string
	mu      sync.Mutex
	ran     []string
	env     []string
	through []string // addresses forwarded to
}

// keys are a user's; every host admits them.
type keys struct{ private, public string }

func newKeys(t *testing.T) keys {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	block, err := gossh.MarshalPrivateKey(key, "")
	require.NoError(t, err)
	p, err := gossh.NewPublicKey(pub)
	require.NoError(t, err)
	return keys{
		private: string(pem.EncodeToMemory(block)),
		public:  strings.TrimSpace(string(gossh.MarshalAuthorizedKey(p))),
	}
}

func newHost(t *testing.T, user keys) *host {
	t.Helper()
	own := newKeys(t)
	h := &host{hostKey: own.public}
	allowed, _, _, _, err := ssh.ParseAuthorizedKey([]byte(user.public))
	require.NoError(t, err)
	srv := &ssh.Server{
		Handler:          h.run,
		PublicKeyHandler: func(_ ssh.Context, key ssh.PublicKey) bool { return ssh.KeysEqual(key, allowed) },
		LocalPortForwardingCallback: func(_ ssh.Context, to string, port uint32) bool {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.through = append(h.through, net.JoinHostPort(to, strconv.Itoa(int(port))))
			return true
		},
		ChannelHandlers: map[string]ssh.ChannelHandler{
			"session": ssh.DefaultSessionHandler, "direct-tcpip": ssh.DirectTCPIPHandler,
		},
		SubsystemHandlers: map[string]ssh.SubsystemHandler{"sftp": serveFiles},
	}
	require.NoError(t, srv.SetOption(ssh.HostKeyPEM([]byte(own.private))))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	h.port = l.Addr().(*net.TCPAddr).Port
	return h
}

func (h *host) run(s ssh.Session) {
	in, _ := io.ReadAll(s)
	h.mu.Lock()
	h.ran = append(h.ran, s.RawCommand()+"<"+string(in)+">")
	h.env = append(h.env, s.Environ()...)
	h.mu.Unlock()
	fmt.Fprintln(s, "out of", s.RawCommand())
	fmt.Fprintln(s.Stderr(), "err of", s.RawCommand())
	if code, err := strconv.Atoi(strings.TrimPrefix(s.RawCommand(), "exit ")); err == nil {
		_ = s.Exit(code)
	}
}

func serveFiles(s ssh.Session) {
	srv, err := sftp.NewServer(s)
	if err == nil {
		_ = srv.Serve()
	}
}

// connection is the property of that name.
func (h *host) connection(user keys) map[string]any {
	return map[string]any{
		"host": "127.0.0.1", "port": float64(h.port), "user": "u", "privateKey": user.private,
		"hostKey": h.hostKey, "dialErrorLimit": 1.0, "perDialTimeout": 5.0,
	}
}

// readTree returns the files below a directory by relative path.
func readTree(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		found[rel] = string(b)
		return err
	}))
	return found
}
