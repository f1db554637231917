package hosttest

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// Contract tests what host.Backend promises on two hosts that it boots, "one"
// and "two", and leaves them running.
func Contract(t *testing.T, f *Fleet) { //nolint:funlen // it is a list of promises
	ctx := t.Context()
	addr := f.Boot(t, "one", 11, nil)
	other := f.Boot(t, "two", 12, nil)
	client := f.Await(t, addr)
	f.Await(t, other)

	t.Run("who may log in", func(t *testing.T) {
		for name, c := range map[string]struct {
			user  string
			login Key
			ok    bool
		}{
			"the user data's user":     {"construct", f.Login, true},
			"root, by the cloud's key": {"root", f.Login, true},
			"an unknown key":           {"construct", NewKey(t), false},
			"an unknown user":          {"nobody", f.Login, false},
		} {
			dial := func() (*ssh.Client, error) { return f.Dial(addr, c.user, c.login) }
			if c.ok {
				f.await(t, dial) // sshd may restart just now, once
				continue
			}
			if client, err := dial(); err == nil {
				_ = client.Close()
				t.Errorf("%s logs in", name)
			}
		}
	})
	t.Run("the host key is the user data's", func(t *testing.T) {
		config := f.Config("construct", f.Login)
		config.HostKeyCallback = ssh.FixedHostKey(NewKey(t).Signer.PublicKey())
		if client, err := ssh.Dial("tcp", addr, config); err == nil {
			_ = client.Close()
			t.Error("another pinned key was not noticed")
		}
	})
	t.Run("a swapped host key is noticed", func(t *testing.T) {
		must(t, f.SwapHostKey(ctx, "one", true))
		must(t, f.SwapHostKey(ctx, "one", true))
		if client, err := f.Dial(addr, "construct", f.Login); err == nil {
			_ = client.Close()
			t.Error("the pinned key is no longer the host's, and was taken")
		}
		must(t, f.SwapHostKey(ctx, "one", false))
		must(t, f.SwapHostKey(ctx, "one", false))
		again := f.Await(t, addr)
		_ = again.Close()
	})
	t.Run("commands are counted", func(t *testing.T) { commandsAreCounted(t, f, client) })
	t.Run("private address through the other host", func(t *testing.T) {
		f.AwaitThrough(t, client, f.SSH(f.PrivateAddr(12))) // its sshd may restart just now, once
	})
	t.Run("refused SSH", func(t *testing.T) {
		must(t, f.RefuseSSH(ctx, "one", true))
		refused(t, addr)
		must(t, f.RefuseSSH(ctx, "one", false))
		f.Await(t, addr)
	})
	t.Run("further public address", func(t *testing.T) { furtherAddress(t, f, addr) })
	t.Run("power", func(t *testing.T) {
		must(t, f.PowerOff(ctx, "two"))
		must(t, f.PowerOff(ctx, "two"))
		unreachable(t, other)
		must(t, f.PowerOn(ctx, "two"))
		f.Await(t, other)
		must(t, f.ShutDown(ctx, "two"))
		must(t, f.ShutDown(ctx, "two"))
		unreachable(t, other)
		must(t, f.PowerOn(ctx, "two"))
		f.Await(t, other)
	})
	t.Run("volumes", func(t *testing.T) { volumes(t, f) })
	t.Run("what is not there is destroyed", func(t *testing.T) {
		must(t, errors.Join(f.Destroy(ctx, "none"), f.DeleteNetwork(ctx, "none"), f.DeleteVolume(ctx, "none")))
		if f.Reboot(ctx, "none") == nil {
			t.Error("a host that does not exist was rebooted")
		}
	})
}

func commandsAreCounted(t *testing.T, f *Fleet, client *ssh.Client) {
	before, err := f.Commands(t.Context(), "one")
	must(t, err)
	for range 3 {
		if _, err := Run(t, client, "true", "some input"); err != nil {
			t.Fatal(err)
		}
	}
	after, err := f.Commands(t.Context(), "one")
	must(t, err)
	if len(after) != len(before)+3 {
		t.Fatalf("%d commands after %d and three more: %+v", len(after), len(before), after)
	}
	if last := after[len(after)-1]; last.User != "construct" || time.Since(last.Time).Abs() > time.Minute {
		t.Errorf("the last command was recorded as %+v", last)
	}
}

// furtherAddress gives host one an address, moves it to host two, and reboots
// that.
func furtherAddress(t *testing.T, f *Fleet, addr string) {
	ctx := t.Context()
	reserved, err := f.NextPublic()
	must(t, err)
	must(t, f.AssignPublic(ctx, "one", reserved))
	must(t, f.AssignPublic(ctx, "one", reserved))
	f.Await(t, f.SSH(reserved))
	must(t, f.UnassignPublic(ctx, "one", reserved))
	unreachable(t, f.SSH(reserved))
	must(t, f.AssignPublic(ctx, "two", reserved))
	f.Await(t, f.SSH(reserved))
	must(t, f.Reboot(ctx, "two"))
	f.Await(t, f.SSH(reserved))
	f.Await(t, addr)
	must(t, f.UnassignPublic(ctx, "two", reserved))
	f.ReleasePublic(reserved)
}

func volumes(t *testing.T, f *Fleet) {
	ctx := t.Context()
	must(t, f.CreateVolume(ctx, "vol-1", 1))
	must(t, f.AttachVolume(ctx, "vol-1", "one", "scsi-0DO_Volume_vol-1"))
	must(t, f.AttachVolume(ctx, "vol-1", "one", "scsi-0DO_Volume_vol-1"))
	for name, err := range map[string]error{
		"another host took it":       f.AttachVolume(ctx, "vol-1", "two", "scsi-0DO_Volume_vol-1"),
		"it was deleted":             f.DeleteVolume(ctx, "vol-1"),
		"it shrank":                  f.ResizeVolume(ctx, "vol-1", 0),
		"a network lost its members": f.DeleteNetwork(ctx, Network),
	} {
		if err == nil {
			t.Errorf("attached, and %s", name)
		}
	}
	must(t, f.ResizeVolume(ctx, "vol-1", 2))
	must(t, f.DetachVolume(ctx, "vol-1", "one"))
	must(t, f.DeleteVolume(ctx, "vol-1"))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, addr string) {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(t.Context(), "tcp", addr)
	if conn != nil {
		_ = conn.Close()
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial %s: %v, want connection refused", addr, err)
	}
}

func unreachable(t *testing.T, addr string) {
	t.Helper()
	if conn, err := (&net.Dialer{Timeout: 3 * time.Second}).DialContext(t.Context(), "tcp", addr); err == nil {
		_ = conn.Close()
		t.Errorf("%s answers", addr)
	}
}
