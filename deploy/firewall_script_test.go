package deploy

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// filtered is a target in a network namespace of its own, with the real nft in
// it and a TCP connection that stands for the operator's.
type filtered struct {
	*target
	client, server *net.TCPAddr
}

// newFiltered moves the test's thread into the namespace; sockets and programs
// made by the test live there, and it ends with the thread.
func newFiltered(t *testing.T) *filtered {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("network namespaces and nft need root")
	}
	if _, err := exec.LookPath("nft"); err != nil {
		t.Skip("nft is not installed (make packages)")
	}
	f := &filtered{target: newTarget(t)}
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	require.NoError(t, unix.Unshare(unix.CLONE_NEWNET))
	require.NoError(t, exec.CommandContext(t.Context(), "ip", "link", "set", "lo", "up").Run())
	for _, program := range []string{"systemctl", "systemd-run"} {
		body := "#!/bin/sh\necho \"" + program + " $*\" >>\"$FAKE/systemd\"\n"
		require.NoError(t, os.WriteFile(filepath.Join(f.fake, program), []byte(body), 0o700)) //nolint:gosec // a program
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
	require.NoError(t, err)
	accepted, err := listener.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _, _, _ = conn.Close(), accepted.Close(), listener.Close() })
	go func() { // a client that is alive
		for {
			if _, err := conn.Write([]byte(".")); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	f.client, f.server = conn.LocalAddr().(*net.TCPAddr), conn.RemoteAddr().(*net.TCPAddr)
	return f
}

// ruleset admits new connections to one port, as firewall.HostRules does.
func ruleset(port int) string {
	return fmt.Sprintf(`table inet construct
delete table inet construct
table inet construct {
	chain prerouting {
		type filter hook prerouting priority -150; policy drop;
		ct state established,related accept
		goto from_outside
	}
	chain from_outside {
		tcp dport %d accept
		drop
	}
}
`, port)
}

func (f *filtered) command(ctx context.Context, stdin string, args ...string) *exec.Cmd {
	scripts, err := filepath.Abs("scripts")
	require.NoError(f.t, err)
	command := exec.CommandContext(ctx, "bash", append([]string{filepath.Join(scripts, "firewall.sh")}, args...)...)
	command.Env = []string{
		"PATH=" + f.fake + ":" + os.Getenv("PATH"), "CONSTRUCT_ROOT=" + f.root, "FAKE=" + f.fake,
		"CONSTRUCT_LIB=" + filepath.Join(scripts, "lib"),
		fmt.Sprintf("SSH_CONNECTION=%s %d %s %d", f.client.IP, f.client.Port, f.server.IP, f.server.Port),
	}
	command.Stdin = strings.NewReader(stdin)
	return command
}

func (f *filtered) apply(rules string) (stdout, stderr string, ok bool) {
	command := f.command(f.t.Context(), "# server 1\n"+rules, "apply", digest([]byte(rules)), "--patience", "2")
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	err := command.Run()
	return out.String(), errs.String(), err == nil
}

// loaded is the table as the kernel has it, empty if there is none.
func (f *filtered) loaded() string {
	out, _ := exec.CommandContext(f.t.Context(), "nft", "list", "table", "inet", "construct").Output()
	return string(out)
}

func (f *filtered) systemd() string {
	calls, err := os.ReadFile(filepath.Join(f.fake, "systemd"))
	require.NoError(f.t, err)
	return string(calls)
}

func TestFirewallThatLetsItsOperatorInStays(t *testing.T) {
	t.Parallel()
	f := newFiltered(t)
	good := ruleset(f.server.Port)
	out, errs, ok := f.apply(good)
	require.True(t, ok, errs)
	assert.Contains(t, out, "ruleset "+digest([]byte(good))+" filters")
	assert.Equal(t, good, f.read("etc/construct/firewall.nft"), "what boot will load")
	assert.Contains(t, f.loaded(), fmt.Sprintf("tcp dport %d accept", f.server.Port))
	assert.NotContains(t, f.loaded(), "trial", "the trial has left something behind")
	calls := f.systemd()
	assert.Less(t, strings.Index(calls, "systemd-run "), strings.LastIndex(calls, "systemctl --quiet stop construct-firewall-undo.timer"))

	before := strings.Count(f.systemd(), "systemd-run ")
	_, errs, ok = f.apply(good)
	require.True(t, ok, errs)
	assert.Equal(t, before, strings.Count(f.systemd(), "systemd-run "), "what has stood its trial needs no other")
}

func TestFirewallThatLocksItsOperatorOutIsUndone(t *testing.T) {
	t.Parallel()
	f := newFiltered(t)
	good, bad := ruleset(f.server.Port), ruleset(f.server.Port+1)

	_, errs, ok := f.apply(bad)
	require.False(t, ok)
	assert.Contains(t, errs, "construct-test-db-1: ruleset "+digest([]byte(bad))+" does not let in the connection that brought it (from 127.0.0.1)")
	assert.Empty(t, f.loaded(), "there was no ruleset before")
	assert.False(t, f.exists("etc/construct/firewall.nft"))

	_, errs, ok = f.apply(good)
	require.True(t, ok, errs)
	before := f.loaded()
	_, _, ok = f.apply(bad)
	require.False(t, ok)
	assert.Equal(t, before, f.loaded())
	assert.Equal(t, good, f.read("etc/construct/firewall.nft"))
}

// The timer's part: whoever was trying the ruleset is gone.
func TestFirewallIsUndoneByTheTimerWhenTheTrialIsKilled(t *testing.T) {
	t.Parallel()
	f := newFiltered(t)
	good, bad := ruleset(f.server.Port), ruleset(f.server.Port+1)
	_, errs, ok := f.apply(good)
	require.True(t, ok, errs)
	before := f.loaded()

	trial := f.command(t.Context(), "# server 1\n"+bad, "apply", digest([]byte(bad)), "--patience", "60", "--undo-after", "7")
	require.NoError(t, trial.Start())
	// Not require.Eventually, which looks from another thread.
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(f.loaded(), "counter trial"); time.Sleep(20 * time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "the trial has not begun")
	}
	require.NoError(t, trial.Process.Kill())
	require.Error(t, trial.Wait())

	armed := f.systemd()[strings.LastIndex(f.systemd(), "systemd-run "):]
	assert.Contains(t, armed, "--on-active=7 ")
	words := strings.Fields(armed[:strings.Index(armed, "\n")])
	assert.Equal(t, "undo", words[len(words)-1])
	assert.True(t, filepath.IsAbs(words[len(words)-2]), "systemd wants a path: %s", armed)
	require.NoError(t, f.command(t.Context(), "", "undo").Run())
	assert.Equal(t, before, f.loaded())
	assert.Equal(t, good, f.read("etc/construct/firewall.nft"))
}

func TestFirewallThatCannotBeLoadedChangesNothing(t *testing.T) {
	t.Parallel()
	f := newFiltered(t)
	_, errs, ok := f.apply("table inet construct { nonsense }\n")
	require.False(t, ok)
	assert.Contains(t, errs, "nothing was changed")
	command := f.command(t.Context(), "# server 1\n"+ruleset(22), "apply", digest([]byte("another")))
	out, err := command.CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "has not arrived as it was sent")
	assert.Empty(t, f.loaded())
	assert.False(t, f.exists("etc/construct/firewall.nft"))
}
