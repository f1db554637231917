package deploy

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

const (
	eventually = 10 * time.Second
	tick       = 100 * time.Millisecond
)

// sshdHost is a host whose sshd is a real one, with the configuration that
// set-up writes and the host keys that are in its root, on loopback.
type sshdHost struct {
	*target
	admin, port string
	seed        []byte // of the operator's key
	log         lockedBuffer
}

type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// startSSHD runs sshd until the test is over. Only root may log in another user
// than itself, and root itself is not let in.
func startSSHD(t *testing.T, keys HostKeys) *sshdHost {
	t.Helper()
	sshd := sshdProgram(t)
	h := &sshdHost{target: sshHost(t, `kill -HUP "$(cat "$CONSTRUCT_ROOT/sshd.pid")"`), admin: "nobody", seed: bytes.Repeat([]byte{7}, ed25519.SeedSize)}
	if me, err := user.Current(); err == nil && me.Uid != "0" {
		h.admin = me.Username
	} else {
		require.NoError(t, os.MkdirAll("/run/sshd", 0o755)) // as its unit does
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, h.port, err = net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	require.NoError(t, listener.Close())

	private, err := os.ReadFile("scripts/files/sshd.conf")
	require.NoError(t, err)
	text := strings.NewReplacer("@PORT@", h.port, "@ADMIN@", h.admin, "@FORWARDING@", "AllowTcpForwarding no",
		"/etc/ssh/", filepath.Join(h.root, "etc/ssh")+"/").Replace(string(private))
	// What is read first counts: temporary directories are not strictly one's own.
	h.write("sshd_config", fmt.Sprintf("StrictModes no\nAuthorizedKeysFile %s/keys\nPidFile %s/sshd.pid\nListenAddress 127.0.0.1\n%s", h.root, h.root, text))
	h.write("keys", string(ssh.MarshalAuthorizedKey(h.signer(h.seed).PublicKey())))
	for _, readable := range []string{h.root, filepath.Dir(h.root)} {
		require.NoError(t, os.Chmod(readable, 0o755)) //nolint:gosec // sshd looks as its user
	}
	require.NoError(t, os.Chmod(filepath.Join(h.root, "keys"), 0o644)) //nolint:gosec // likewise
	h.write("etc/ssh/ssh_host_ed25519_key", keys.Main.PrivatePEM)
	h.write("etc/ssh/ssh_host_ecdsa_key", keys.Spare.PrivatePEM)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	process := exec.CommandContext(ctx, sshd, "-D", "-e", "-f", filepath.Join(h.root, "sshd_config"))
	process.Stderr = &h.log
	require.NoError(t, process.Start())
	t.Cleanup(func() { cancel(); _ = process.Wait() })
	require.Eventually(t, func() bool { return strings.Contains(h.log.String(), "Server listening on") }, 20*time.Second, 50*time.Millisecond, "%s", &h.log)
	return h
}

func (h *sshdHost) signer(seed []byte) ssh.Signer {
	signer, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(seed))
	require.NoError(h.t, err)
	return signer
}

// login dials as the provider does, with one host key pinned; from is an address
// of the loopback network.
func (h *sshdHost) login(from, name, pinned string, keys ...ssh.Signer) (*ssh.Client, error) {
	expected, _, _, _, err := ssh.ParseAuthorizedKey([]byte(pinned))
	require.NoError(h.t, err)
	dialer := net.Dialer{Timeout: 10 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	address := net.JoinHostPort("127.0.0.1", h.port)
	conn, err := dialer.DialContext(h.t.Context(), "tcp", address)
	if err != nil {
		return nil, err
	}
	c, channels, requests, err := ssh.NewClientConn(conn, address, &ssh.ClientConfig{
		User: name, Auth: []ssh.AuthMethod{ssh.PublicKeys(keys...)}, Timeout: 10 * time.Second,
		HostKeyCallback: ssh.FixedHostKey(expected), HostKeyAlgorithms: []string{expected.Type()},
	})
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return ssh.NewClient(c, channels, requests), nil
}

// shows tells whether a login that pins this host key gets through.
func (h *sshdHost) shows(public string) bool {
	client, err := h.login("127.0.0.1", h.admin, public, h.signer(h.seed))
	if err != nil {
		require.ErrorContains(h.t, err, "host key mismatch")
		return false
	}
	require.NoError(h.t, client.Close())
	return true
}

// All steps of an up dial at once, and every stranger may as well.
func TestStrangersAtTheDoorDoNotKeepTheOperatorOut(t *testing.T) {
	t.Parallel()
	keys := testHostKeys(t, testSeed, "")
	h := startSSHD(t, keys)
	const each = 45
	waiting := 0
	for _, from := range []string{"127.0.0.2", "127.0.0.3"} {
		for range each {
			conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext(t.Context(), "tcp", "127.0.0.1:"+h.port)
			require.NoError(t, err)
			t.Cleanup(func() { _ = conn.Close() })
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
			banner := make([]byte, 4)
			if _, err := conn.Read(banner); err == nil && string(banner) == "SSH-" {
				waiting++
			}
		}
	}
	require.Equal(t, 2*each, waiting, "connections that wait without having logged in")
	var all sync.WaitGroup
	failed := make(chan error, 10)
	for range 10 {
		all.Go(func() {
			client, err := h.login("127.0.0.1", h.admin, keys.Pinned, h.signer(h.seed))
			if err != nil {
				failed <- err
				return
			}
			_ = client.Close()
		})
	}
	all.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
}

// fail2ban's own reader judges what a real sshd wrote.
func TestBansCountWhoFailsToLogIn(t *testing.T) {
	t.Parallel()
	regex, err := exec.LookPath("fail2ban-regex")
	if err != nil {
		t.Skip("fail2ban-regex is not installed (make packages)")
	}
	jail, err := script("files/fail2ban.conf")
	require.NoError(t, err)
	_, jail, _ = strings.Cut(jail, "\n[sshd]\n")
	mode := "normal"
	for line := range strings.Lines(jail) {
		if value, found := strings.CutPrefix(line, "mode = "); found {
			mode = strings.TrimSpace(value)
		}
	}
	keys := testHostKeys(t, testSeed, "")
	h := startSSHD(t, keys)
	wrong := func(n byte) ssh.Signer { return h.signer(bytes.Repeat([]byte{100 + n}, ed25519.SeedSize)) }
	for _, c := range []struct {
		name, user string
		keys       []ssh.Signer
		ok, fails  bool
	}{
		{"a login", h.admin, []ssh.Signer{h.signer(h.seed)}, true, false},
		{"a login with the agent's fourth key", h.admin, []ssh.Signer{wrong(1), wrong(2), wrong(3), h.signer(h.seed)}, true, false},
		{"a wrong key of the admin's", h.admin, []ssh.Signer{wrong(1)}, false, true},
		{"a user that there is not", "mallory", []ssh.Signer{h.signer(h.seed)}, false, true},
	} {
		before := len(h.log.String())
		client, err := h.login("127.0.0.1", c.user, keys.Pinned, c.keys...)
		require.Equal(t, c.ok, err == nil, "%s: %v", c.name, err)
		last := "Connection closed by"
		if c.ok {
			require.NoError(t, client.Close())
			last = "Accepted publickey for"
		}
		require.Eventually(t, func() bool { return strings.Contains(h.log.String()[before:], last) }, 10*time.Second, 20*time.Millisecond, "%s: %s", c.name, &h.log)
		var lines strings.Builder
		for line := range strings.Lines(h.log.String()[before:]) {
			fmt.Fprintf(&lines, "Jan  1 00:00:00 gateway sshd[%d]: %s\n", 4242, strings.TrimSpace(line))
		}
		file := filepath.Join(t.TempDir(), "lines")
		require.NoError(t, os.WriteFile(file, []byte(lines.String()), 0o600))
		said, err := exec.CommandContext(t.Context(), regex, file, "sshd[mode="+mode+"]").CombinedOutput()
		require.NoError(t, err, "%s", said)
		matched := 0
		if _, rest, found := strings.Cut(string(said), " ignored, "); found {
			count, _, _ := strings.Cut(rest, " matched")
			matched, err = strconv.Atoi(count)
			require.NoError(t, err)
		}
		require.Equal(t, c.fails, matched > 0, "%s: %s\n%s", c.name, said, &lines)
	}
}
