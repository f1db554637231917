package dry_test

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/construct-server/infra/sim/host/dry"
	"github.com/construct-server/infra/sim/host/hosttest"
)

func TestBoot(t *testing.T) {
	t.Parallel()
	f := newFleet(t, dry.Options{
		BootDelay: 200 * time.Millisecond, RestartAfter: 200 * time.Millisecond, RestartFor: 200 * time.Millisecond,
	})
	start := time.Now()
	addr := f.Boot(t, "app-1", 2, nil)
	if _, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("while booting: %v, want connection refused", err)
	}
	client := f.Await(t, addr)
	if up := time.Since(start); up < 200*time.Millisecond {
		t.Errorf("sshd answered after %v, before the boot delay", up)
	}
	refused := false
	for time.Since(start) < 600*time.Millisecond {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			refused = true
			break
		}
		_ = conn.Close()
		time.Sleep(10 * time.Millisecond)
	}
	if !refused {
		t.Error("sshd did not restart during first boot")
	}
	var waits sync.WaitGroup
	for command, script := range map[string]string{
		"sudo cloud-init status --wait": "",
		"exec bash -s":                  "cloud-init status --wait\n",
	} {
		waits.Go(func() {
			if _, err := hosttest.Run(t, client, command, script); err != nil {
				t.Errorf("%s: the session did not survive sshd's restart: %v", command, err)
			}
			if waited := time.Since(start); waited < 600*time.Millisecond {
				t.Errorf("%s: cloud-init was done after %v, before first boot's end", command, waited)
			}
		})
	}
	waits.Wait()
}

func TestPowerAndFaults(t *testing.T) {
	t.Parallel()
	f := newFleet(t, dry.Options{BootDelay: 50 * time.Millisecond})
	addr := f.Boot(t, "app-1", 2, nil)
	client := f.Await(t, addr)
	ctx := t.Context()

	if err := f.RefuseSSH(ctx, "app-1", true); err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("refusing: %v", err)
	}
	if err := f.RefuseSSH(ctx, "app-1", false); err != nil {
		t.Fatal(err)
	}
	f.Await(t, addr)

	if err := f.Reboot(ctx, "app-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := client.NewSession(); err == nil {
		t.Error("a session was opened on a connection from before the reboot")
	}
	if _, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("rebooting: %v", err)
	}
	f.Await(t, addr)

	reserved, err := f.NextPublic()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.AssignPublic(ctx, "app-1", reserved); err != nil {
		t.Fatal(err)
	}
	second := netip.AddrPortFrom(reserved, dry.DefaultSSHPort).String()
	f.Await(t, second)
	if err := f.PowerOff(ctx, "app-1"); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{addr, second} {
		if _, err := net.Dial("tcp", at); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("off, at %s: %v", at, err)
		}
	}
	if err := f.PowerOn(ctx, "app-1"); err != nil {
		t.Fatal(err)
	}
	f.Await(t, second)
}
