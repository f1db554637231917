package container_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/construct-server/infra/sim/host/hosttest"
)

func firstBoot(t *testing.T, one *ssh.Client) {
	if got := run(t, one, "cloud-init status --wait"); !strings.Contains(got, "status: done") {
		t.Errorf("cloud-init: %s", got)
	}
	if got := run(t, one, "systemctl --failed --no-legend"); got != "" {
		t.Errorf("failed units: %s", got)
	}
	for command, want := range map[string]string{
		"hostname":                            "one",
		"cat /sys/class/net/eth0/mtu":         "1500",
		"cat /sys/class/net/eth1/mtu":         "1450",
		"sudo docker compose version --short": "2.",
		"sudo docker info -f '{{.Driver}}'":   "overlay2",
		"ip -4 -br address show eth1":         "198.19.77.11/24",
		"cat /etc/resolv.conf":                "198.18.77.1",
	} {
		if got := run(t, one, command+" || true"); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
	}
	sshdRestarts(t, one)
	// The kernel's settings are the machine's; a host changes a copy.
	if got := run(t, one, "sudo sysctl -n vm.swappiness=7"); got != "7\n" {
		t.Errorf("sysctl on the host: %q", got)
	}
	if out, err := os.ReadFile("/proc/sys/vm/swappiness"); err == nil && strings.TrimSpace(string(out)) == "7" {
		t.Error("the host changed the machine's vm.swappiness")
	}
}

// sshdRestarts: the cloud restarts sshd late in a first boot, once, and whoever
// is connected stays so.
func sshdRestarts(t *testing.T, one *ssh.Client) {
	t.Helper()
	const restarted = "sudo journalctl --output cat --unit vendor-ssh-restart.service --no-pager | grep -c Finished || true"
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Second) {
		got := strings.TrimSpace(run(t, one, restarted))
		if got == "1" {
			return
		}
		if got != "0" || time.Now().After(deadline) {
			t.Errorf("sshd was restarted %s times in a first boot", got)
			return
		}
	}
}

// ownReboot: a reboot from inside comes back, with another boot id.
func ownReboot(t *testing.T, f *hosttest.Fleet) {
	addr := f.SSH(publicOf(t, "one"))
	client := f.Await(t, addr)
	const bootID = "cat /proc/sys/kernel/random/boot_id"
	before := run(t, client, bootID)
	_, _ = hosttest.Run(t, client, "sudo systemctl reboot", "") // the connection may break first
	deadline := time.Now().Add(2 * time.Minute)
	for {
		time.Sleep(time.Second)
		client, err := f.Dial(addr, "construct", f.Login)
		if err == nil {
			after, err := hosttest.Run(t, client, bootID, "")
			_ = client.Close()
			if err == nil && after != before {
				break
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("host did not come back: %v", err)
		}
	}
	if got := run(t, f.Await(t, addr), "ip -4 -br address show eth1"); !strings.Contains(got, "198.19.77.11/24") {
		t.Errorf("after the reboot, eth1 is %q", got)
	}
}
