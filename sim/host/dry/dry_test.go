package dry_test

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/construct-server/infra/sim/host"
	"github.com/construct-server/infra/sim/host/dry"
	"github.com/construct-server/infra/sim/host/hosttest"
)

func newFleet(t *testing.T, opts dry.Options) *hosttest.Fleet {
	t.Helper()
	return hosttest.NewFleet(t, dry.New(opts), dry.DefaultSSHPort, netip.MustParsePrefix("10.10.0.0/24"), 5*time.Second)
}

func TestLogin(t *testing.T) {
	t.Parallel()
	f := newFleet(t, dry.Options{})
	open := f.Boot(t, "open", 2, nil)
	noRoot := f.Boot(t, "no-root", 3, func(s *host.Spec) {
		s.UserData += "write_files:\n  - path: /etc/ssh/sshd_config.d/10.conf\n    content: |\n      PermitRootLogin no\n"
	})
	f.Await(t, open)
	f.Await(t, noRoot)
	for _, c := range []struct {
		name, addr, user string
		login            hosttest.Key
		ok               bool
	}{
		{"the user data's user", open, "construct", f.Login, true},
		{"root with the cloud's key", open, "root", f.Login, true},
		{"root where sshd_config forbids it", noRoot, "root", f.Login, false},
		{"an unknown key", open, "construct", hosttest.NewKey(t), false},
		{"an unknown user", open, "debian", f.Login, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, err := f.Dial(c.addr, c.user, c.login)
			if (err == nil) != c.ok {
				t.Fatalf("login of %s: %v, want success %v", c.user, err, c.ok)
			}
			if client != nil {
				_ = client.Close()
			}
		})
	}
}

func TestCommandsAreRecordedAndAnswered(t *testing.T) {
	t.Parallel()
	f := newFleet(t, dry.Options{Respond: func(id, command string) (string, int) {
		if command == "false" {
			return "no\n", 3
		}
		return id + "\n", 0
	}})
	client := f.Await(t, f.Boot(t, "app-1", 2, nil))
	if out, err := hosttest.Run(t, client, "cat > /tmp/x", strings.Repeat("x", 1<<20)); err != nil || out != "app-1\n" {
		t.Fatalf("output %q, %v", out, err)
	}
	var exit *ssh.ExitError
	if _, err := hosttest.Run(t, client, "false", ""); !errors.As(err, &exit) || exit.ExitStatus() != 3 {
		t.Fatalf("exit %v, want 3", err)
	}
	if err := f.Destroy(t.Context(), "app-1"); err != nil {
		t.Fatal(err)
	}
	got, err := f.Commands(t.Context(), "app-1")
	if err != nil || len(got) != 2 {
		t.Fatalf("recorded %v, %v, want two, even after the host is gone", got, err)
	}
	if got[0].Text != "cat > /tmp/x" || got[0].User != "construct" || got[1].Exit != 3 || got[1].Time.Before(got[0].Time) {
		t.Errorf("recorded %+v", got)
	}
}

func TestExecuteGetsStandardInput(t *testing.T) {
	t.Parallel()
	f := newFleet(t, dry.Options{
		Execute: func(id, command string, stdin []byte) (string, string, int) {
			return id + " " + command, string(stdin), 0
		},
		Respond: func(string, string) (string, int) { return "not asked", 1 },
	})
	client := f.Await(t, f.Boot(t, "app-1", 2, nil))
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Close() }()
	var stderr bytes.Buffer
	session.Stdin, session.Stderr = strings.NewReader(strings.Repeat("x", 1<<20)), &stderr
	out, err := session.Output("cat >&2")
	if err != nil || string(out) != "app-1 cat >&2" || stderr.String() != strings.Repeat("x", 1<<20) {
		t.Errorf("output %q, %d bytes on standard error, %v", out, stderr.Len(), err)
	}
}

// TestTerminalThatNeverClosesStdin: ssh at a terminal sends no end of input.
func TestTerminalThatNeverClosesStdin(t *testing.T) {
	t.Parallel()
	f := newFleet(t, dry.Options{})
	session, err := f.Await(t, f.Boot(t, "app-1", 2, nil)).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- session.Run("uptime") }()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the command waits for an end of input that never comes")
	}
}

func TestProxyToPrivateAddress(t *testing.T) {
	t.Parallel()
	f := newFleet(t, dry.Options{})
	gateway := f.Await(t, f.Boot(t, "gateway-1", 2, nil))
	f.Await(t, f.Boot(t, "db-1", 3, func(s *host.Spec) {
		s.Firewall = &host.Firewall{FilterInbound: true, FilterPrivate: true, Inbound: []host.Rule{{
			Protocol: "tcp", PortFrom: 2222, PortTo: 2222, Peers: []netip.Prefix{netip.MustParsePrefix("10.10.0.2/32")},
		}}}
	}))
	f.Await(t, f.Boot(t, "shut-1", 4, func(s *host.Spec) {
		s.Firewall = &host.Firewall{FilterInbound: true, FilterPrivate: true}
	}))
	f.Await(t, f.Boot(t, "off-1", 5, nil))
	f.Await(t, f.Boot(t, "refusing-1", 6, nil))
	if err := f.PowerOff(t.Context(), "off-1"); err != nil {
		t.Fatal(err)
	}
	if err := f.RefuseSSH(t.Context(), "refusing-1", true); err != nil {
		t.Fatal(err)
	}

	t.Run("admitted", func(t *testing.T) {
		db, err := f.Through(gateway, "10.10.0.3:2222")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := hosttest.Run(t, db, "uptime", ""); err != nil {
			t.Fatal(err)
		}
		if got, _ := f.Commands(t.Context(), "db-1"); len(got) != 1 {
			t.Errorf("db-1 recorded %v, want the command that came through the gateway", got)
		}
	})
	for addr, want := range map[string]string{
		"10.10.0.4:2222":   "timed out", // its cloud firewall admits nobody
		"10.10.0.5:2222":   "timed out", // off
		"10.10.0.6:2222":   "refused",   // RefuseSSH
		"10.10.0.3:5432":   "timed out", // not admitted by the firewall
		"10.10.0.9:2222":   "no route",  // nobody has it
		"db.internal:2222": "not known",
	} {
		t.Run(addr, func(t *testing.T) {
			if _, err := gateway.Dial("tcp", addr); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("dial through the gateway: %v, want %q", err, want)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	f := newFleet(t, dry.Options{})
	ctx := t.Context()
	f.Boot(t, "db-1", 2, nil)
	f.Boot(t, "db-2", 3, nil)
	for id, err := range map[string]error{
		"create": f.CreateVolume(ctx, "vol-1", 10),
		"attach": f.AttachVolume(ctx, "vol-1", "db-1", "scsi-0DO_Volume_x"),
	} {
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
	}
	addr := netip.MustParseAddr
	for name, err := range map[string]error{
		"a network with members":      f.DeleteNetwork(ctx, "net-1"),
		"an attached volume":          f.DeleteVolume(ctx, "vol-1"),
		"a volume another host has":   f.AttachVolume(ctx, "vol-1", "db-2", "x"),
		"a shrinking volume":          f.ResizeVolume(ctx, "vol-1", 5),
		"an address outside":          f.AttachNetwork(ctx, "db-2", "net-1", addr("10.11.0.2")),
		"an address another host has": f.AttachNetwork(ctx, "db-2", "net-1", addr("10.10.0.2")),
		"a network that is not":       f.AttachNetwork(ctx, "db-2", "net-2", addr("10.10.0.9")),
		"a host that is not":          f.Reboot(ctx, "db-9"),
		"bad user data":               f.Create(ctx, host.Spec{ID: "x", UserData: "#cloud-config\nusers: {"}),
	} {
		if err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// TestTwoBackends: simulators in one machine never hand out the same address.
func TestTwoBackends(t *testing.T) {
	t.Parallel()
	one, two := newFleet(t, dry.Options{}), newFleet(t, dry.Options{})
	first, err := one.NextPublic()
	if err != nil {
		t.Fatal(err)
	}
	second, err := two.NextPublic()
	if err != nil || first == second {
		t.Fatalf("both got %s (%v)", first, err)
	}
}
