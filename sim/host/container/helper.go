package container

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// capabilityNames are Linux's, by bit (capability.h), as far as Docker 20.10
// knows them: it lacks PERFMON, BPF and CHECKPOINT_RESTORE.
var capabilityNames = []string{
	"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID",
	"SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
	"SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
	"SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
	"MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ",
}

// capabilities lists those that the machine's process 1 may use, for
// --cap-add: --privileged fails where the machine itself lacks one. Hosts never
// get those that reach beyond them, the clock and the kernel's modules.
func capabilities(status string) ([]string, error) {
	file, err := os.Open(status)
	if err != nil {
		return nil, fmt.Errorf("read capabilities: %w", err)
	}
	defer func() { _ = file.Close() }()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		value, ok := strings.CutPrefix(lines.Text(), "CapBnd:")
		if !ok {
			continue
		}
		mask, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		if err != nil {
			return nil, fmt.Errorf("read capabilities: %w", err)
		}
		var names []string
		for bit, name := range capabilityNames {
			if mask&(1<<bit) != 0 && name != "SYS_TIME" && name != "SYS_MODULE" {
				names = append(names, name)
			}
		}
		return names, nil
	}
	return nil, fmt.Errorf("read capabilities: no CapBnd in %s", status)
}

// confinement lifts Docker's limits as far as the machine allows.
func confinement(caps []string) []string {
	args := []string{"--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined", "--device-cgroup-rule", "a *:* rwm"}
	for _, name := range caps {
		args = append(args, "--cap-add", name)
	}
	return args
}

// cgroupArgs give systemd a control group tree to manage: on version 1 its part
// of the machine's, on version 2 a namespace of its own, which csim-init makes
// writable.
func cgroupArgs(ctx context.Context) ([]string, error) {
	version, err := docker(ctx, nil, "info", "--format", "{{.CgroupVersion}}")
	if err != nil {
		return nil, err
	}
	if version == "1" {
		return []string{"--cgroupns", "host", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw"}, nil
	}
	return []string{"--cgroupns", "private"}, nil
}

// helper is the container in which the machine itself is changed: in its
// network namespace, with its devices. It holds the volumes' files.
type helper struct{ instance string }

func (h helper) container() string { return "csim-" + h.instance + "-helper" }
func (h helper) disks() string     { return "csim-" + h.instance + "-disks" }

// disk is the path of a volume's file. Sweep knows it by its name.
func (h helper) disk(volumeID string) string {
	return "/disks/" + diskPrefix(h.instance) + volumeID + ".img"
}

func diskPrefix(instance string) string { return "csim-" + instance + "-volume-" }

func (h helper) start(ctx context.Context, image string, caps []string) error {
	if _, err := docker(ctx, nil, append(append([]string{"volume", "create"}, labels(h.instance)...), h.disks())...); err != nil {
		return fmt.Errorf("create the volumes' store: %w", err)
	}
	args := append([]string{"run", "--detach", "--init", "--name", h.container(), "--network", "host",
		"--volume", "/dev:/dev", "--volume", "/lib/modules:/lib/modules:ro", "--volume", h.disks() + ":/disks",
		"--entrypoint", "sleep"}, labels(h.instance)...)
	args = append(append(args, confinement(caps)...), image, "infinity")
	if _, err := docker(ctx, nil, args...); err != nil {
		return fmt.Errorf("start helper container: %w", err)
	}
	// Without it, bridged packets pass by the machine's firewall.
	const bridges = `mount -o remount,bind,rw /proc/sys
		[ -d /proc/sys/net/bridge ] || modprobe br_netfilter
		sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1`
	if _, err := shell(ctx, h.container(), bridges); err != nil {
		return fmt.Errorf("let the firewall see bridged packets: %w", err)
	}
	return nil
}

// run runs a script in the helper.
func (h helper) run(ctx context.Context, script string, args ...string) (string, error) {
	return shell(ctx, h.container(), script, args...)
}

// loadRules loads an nftables script, all of it or nothing.
func (h helper) loadRules(ctx context.Context, rules string) error {
	_, err := docker(ctx, strings.NewReader(rules), "exec", "--interactive", h.container(), "nft", "--file", "-")
	return err
}
