package deploy

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// dockerRules are what Docker has for a published port, of a container that has
// .2 of its bridge's network. That network's other containers get to it by a
// process of Docker's, which is not here.
const dockerRules = `table ip nat {
	chain docker { iifname "bridge" return; fib daddr type local tcp dport 80 dnat to 172.18.0.2; fib daddr type local udp dport 443 dnat to 172.18.0.2; }
	chain prerouting { type nat hook prerouting priority -100; jump docker; }
	chain output { type nat hook output priority -100; ip daddr != 127.0.0.0/8 jump docker; }
	chain postrouting { type nat hook postrouting priority 100; ip saddr 172.18.0.0/24 oifname != "bridge" masquerade; }
}`

// bridged is a host with Docker's rules and containers, as network namespaces:
// edge, its stand-in and a neighbour of theirs on the bridge, a caller outside.
type bridged struct {
	*target
	places map[string]int // process in the namespace of each; 0 is the host's
}

func newBridged(t *testing.T) *bridged {
	t.Helper()
	b := &bridged{target: newFiltered(t).target, places: map[string]int{"host": 0}}
	b.command("sysctl", "-qw", "net.ipv4.ip_forward=1")
	b.command("ip", "link", "add", "bridge", "type", "bridge")
	b.command("ip", "address", "add", "172.18.0.1/24", "dev", "bridge")
	b.command("ip", "link", "set", "bridge", "up")
	// Where it is on, as on a host with Docker, answers between containers come by
	// the host, too, and need no rule.
	if _, err := os.Stat("/proc/sys/net/bridge"); err == nil {
		b.command("sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=0")
	}
	for i, name := range []string{"edge", "neighbour", "standin"} {
		b.place(name, fmt.Sprintf("172.18.0.%d/24", i+2), "172.18.0.1")
		b.command("ip", "link", "set", name, "master", "bridge")
	}
	b.place("outside", "10.9.0.2/24", "10.9.0.1")
	b.command("ip", "address", "add", "10.9.0.1/24", "dev", "outside")
	b.nft(dockerRules)
	for _, name := range []string{"edge", "standin"} {
		b.answer(name, "tcp", ":80")
		b.answer(name, "udp", ":443")
	}
	b.answer("host", "tcp", "127.0.0.1:80")
	docker := "#!/bin/sh\n[ $1 != inspect ] || echo 172.18.0.4 172.18.0.1/24\n"
	require.NoError(t, os.WriteFile(filepath.Join(b.fake, "docker"), []byte(docker), 0o700)) //nolint:gosec // a program
	return b
}

func (b *bridged) command(name string, args ...string) {
	b.t.Helper()
	out, err := exec.CommandContext(b.t.Context(), name, args...).CombinedOutput()
	require.NoError(b.t, err, "%s %v: %s", name, args, out)
}

func (b *bridged) nft(rules string) {
	b.t.Helper()
	command := exec.CommandContext(b.t.Context(), "nft", "--file", "-")
	command.Stdin = strings.NewReader(rules)
	out, err := command.CombinedOutput()
	require.NoError(b.t, err, "%s", out)
}

// place makes a network namespace with an interface; the host's end of it is
// called like the place.
func (b *bridged) place(name, address, gateway string) {
	b.t.Helper()
	process := exec.CommandContext(b.t.Context(), "unshare", "--net", "sleep", "120")
	require.NoError(b.t, process.Start())
	go func() { _ = process.Wait() }()
	pid := strconv.Itoa(process.Process.Pid)
	own, err := os.Readlink("/proc/thread-self/ns/net")
	require.NoError(b.t, err)
	require.Eventually(b.t, func() bool {
		its, err := os.Readlink("/proc/" + pid + "/ns/net")
		return err == nil && its != own
	}, 10*time.Second, 10*time.Millisecond, "%s has no network of its own", name)
	b.places[name] = process.Process.Pid
	b.command("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", pid)
	b.command("ip", "link", "set", name, "up")
	for _, args := range [][]string{
		{"address", "add", address, "dev", "eth0"},
		{"link", "set", "eth0", "up"},
		{"route", "add", "default", "via", gateway},
	} {
		b.command("nsenter", append([]string{"--target", pid, "--net", "ip"}, args...)...)
	}
}

// in runs a function whose sockets are a place's.
func (b *bridged) in(place string, f func()) {
	b.t.Helper()
	pid := strconv.Itoa(b.places[place])
	if pid == "0" {
		f() // the test's own thread is the host's
		return
	}
	entered := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this
		namespace, err := os.Open("/proc/" + pid + "/ns/net")
		if err == nil {
			defer func() { _ = namespace.Close() }()
			err = unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil {
			f()
		}
		entered <- err
	}()
	require.NoError(b.t, <-entered)
}

// answer has a place say, to whatever it is sent, who it is and who asked.
func (b *bridged) answer(place, network, address string) {
	b.t.Helper()
	reply := func(from net.Addr) []byte {
		host, _, _ := net.SplitHostPort(from.String())
		return []byte(place + " to " + host)
	}
	if network == "udp" {
		var conn net.PacketConn
		var err error
		b.in(place, func() { conn, err = new(net.ListenConfig).ListenPacket(b.t.Context(), "udp4", address) })
		require.NoError(b.t, err)
		b.t.Cleanup(func() { _ = conn.Close() })
		go func() {
			for buffer := make([]byte, 16); ; {
				_, from, err := conn.ReadFrom(buffer)
				if err != nil {
					return
				}
				_, _ = conn.WriteTo(reply(from), from)
			}
		}()
		return
	}
	var listener net.Listener
	var err error
	b.in(place, func() { listener, err = new(net.ListenConfig).Listen(b.t.Context(), "tcp4", address) })
	require.NoError(b.t, err)
	b.t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				for buffer := make([]byte, 16); ; {
					if _, err := conn.Read(buffer); err != nil {
						return
					}
					_, _ = conn.Write(reply(conn.RemoteAddr()))
				}
			}()
		}
	}()
}

// dial connects from a place.
func (b *bridged) dial(place, network, address string) net.Conn {
	b.t.Helper()
	var conn net.Conn
	var err error
	ctx, cancel := context.WithTimeout(b.t.Context(), 5*time.Second)
	defer cancel()
	b.in(place, func() { conn, err = new(net.Dialer).DialContext(ctx, network, address) })
	require.NoError(b.t, err, "%s asks %s", place, address)
	b.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// ask is the answer to one message.
func (b *bridged) ask(conn net.Conn) string {
	b.t.Helper()
	require.NoError(b.t, conn.SetDeadline(time.Now().Add(5*time.Second)))
	_, err := conn.Write([]byte("?"))
	require.NoError(b.t, err)
	buffer := make([]byte, 64)
	n, err := conn.Read(buffer)
	require.NoError(b.t, err)
	return string(buffer[:n])
}

// standin runs one of the functions of lib/standin.sh.
func (b *bridged) standin(call string) {
	b.t.Helper()
	command := exec.CommandContext(b.t.Context(), "bash", "-euo", "pipefail", "-c",
		"project=construct run="+b.root+"; source scripts/lib/common.sh; source scripts/lib/standin.sh; "+call)
	command.Env = []string{"PATH=" + b.fake + ":" + os.Getenv("PATH"), "CONSTRUCT_ROOT=" + b.root}
	out, err := command.CombinedOutput()
	log, _ := os.ReadFile(filepath.Join(b.root, "compose.log"))
	require.NoError(b.t, err, "%s: %s%s", call, out, log)
}

// Whoever connects anew gets the stand-in, from wherever, and whoever has a
// connection keeps it.
func TestDiversion(t *testing.T) {
	t.Parallel()
	b := newBridged(t)
	callers := []struct{ place, network, address, seenAs string }{
		{"outside", "tcp", "10.9.0.1:80", "10.9.0.2"},
		{"outside", "udp", "10.9.0.1:443", "10.9.0.2"},
		{"host", "tcp", "10.9.0.1:80", "10.9.0.1"},
		{"host", "udp", "10.9.0.1:443", "10.9.0.1"},
		{"neighbour", "tcp", "10.9.0.1:80", "172.18.0.1"},
		{"neighbour", "udp", "10.9.0.1:443", "172.18.0.1"},
	}
	kept := map[net.Conn]string{}
	begin := func(server string) {
		for _, c := range callers {
			if c.place == "neighbour" && server == "edge" {
				continue
			}
			conn := b.dial(c.place, c.network, c.address)
			kept[conn] = server + " to " + c.seenAs
			assert.Equal(t, kept[conn], b.ask(conn), "%s, by %s", c.place, c.network)
		}
		assert.Equal(t, "host to 127.0.0.1", b.ask(b.dial("host", "tcp", "127.0.0.1:80")), "the host's loopback is its own")
	}
	begin("edge")
	b.standin("divert edge standin '80/tcp 443/udp'")
	begin("standin")
	b.standin("undivert edge")
	begin("edge")
	for conn, served := range kept {
		assert.Equal(t, served, b.ask(conn), "a connection from before the last change")
	}
}
