package container

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// shutdownSeconds is how long a host may take to shut down before its power is
// cut, nested containers included.
const shutdownSeconds = 25

// Exit codes of systemd as a container's process 1: reboot(2) ends a process
// namespace's init with SIGHUP for a restart and SIGINT for a halt.
const (
	exitReboot   = 128 + 1
	exitPowerOff = 128 + 2
)

// PowerOff cuts a host's power.
func (b *Backend) PowerOff(ctx context.Context, id string) error {
	return b.change(id, "power off", func(m *machine) error {
		m.on = false
		if running(ctx, m.name) {
			_, err := docker(ctx, nil, "kill", m.name)
			return err
		}
		return nil
	})
}

// ShutDown stops a host in order, and cuts its power where that takes too long.
func (b *Backend) ShutDown(ctx context.Context, id string) error {
	return b.change(id, "shut down", func(m *machine) error {
		m.on = false
		if !running(ctx, m.name) {
			return nil
		}
		_, err := docker(ctx, nil, "stop", "--time", strconv.Itoa(shutdownSeconds), m.name)
		return err
	})
}

// PowerOn boots a host that is off.
func (b *Backend) PowerOn(ctx context.Context, id string) error {
	return b.change(id, "power on", func(m *machine) error {
		if running(ctx, m.name) {
			return nil
		}
		return b.powerOn(ctx, m)
	})
}

// Reboot shuts a host down in order and boots it again.
func (b *Backend) Reboot(ctx context.Context, id string) error {
	return b.change(id, "reboot", func(m *machine) error {
		if _, err := docker(ctx, nil, "stop", "--time", strconv.Itoa(shutdownSeconds), m.name); err != nil {
			return err
		}
		return b.powerOn(ctx, m)
	})
}

// powerOn starts the container, then connects its private networks; the host's
// first process waits for them.
func (b *Backend) powerOn(ctx context.Context, m *machine) error {
	for _, id := range m.networkIDs() {
		if !m.connected[id] || m.inBase(id) {
			continue
		}
		if _, err := docker(ctx, nil, "network", "disconnect", "--force", b.opts.privateNetwork(id), m.name); err != nil {
			return err
		}
		m.connected[id] = false
	}
	if _, err := docker(ctx, nil, "start", m.name); err != nil {
		return err
	}
	m.on = true
	for _, id := range m.networkIDs() {
		if err := b.connect(ctx, m, id); err != nil {
			return err
		}
	}
	return nil
}

func (b *Backend) connect(ctx context.Context, m *machine, networkID string) error {
	if m.connected[networkID] || m.inBase(networkID) {
		return nil
	}
	_, err := docker(ctx, nil, "network", "connect", "--ip", m.private[networkID].String(), b.opts.privateNetwork(networkID), m.name)
	if err != nil {
		return err
	}
	m.connected[networkID] = true
	return nil
}

func running(ctx context.Context, container string) bool {
	out, err := docker(ctx, nil, "inspect", "--format", "{{.State.Running}}", container)
	return err == nil && out == "true"
}

// watch boots hosts again that rebooted by themselves, as their cloud would.
func (b *Backend) watch() error {
	cmd := exec.CommandContext(b.ctx, "docker", "events", "--since", strconv.FormatInt(time.Now().Unix(), 10),
		"--filter", "type=container", "--filter", "event=die", "--filter", "label="+labelInstance+"="+b.opts.Instance,
		"--format", "{{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("watch hosts: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("watch hosts: %w", err)
	}
	b.done.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			name, code, _ := strings.Cut(lines.Text(), " ")
			b.died(name, code)
		}
		if err := cmd.Wait(); err != nil && b.ctx.Err() == nil {
			b.opts.Log.Error("hosts that reboot by themselves stay off", "error", err)
		}
	})
	return nil
}

func (b *Backend) died(container, code string) {
	m, err := b.find(strings.TrimPrefix(container, b.opts.container("")))
	if err != nil {
		return // destroyed
	}
	defer m.Unlock()
	if !m.on || running(b.ctx, m.name) {
		return
	}
	if code != strconv.Itoa(exitReboot) {
		b.opts.Log.Info("host powered off", "host", m.spec.ID, "orderly", code == strconv.Itoa(exitPowerOff))
		m.on = false
		return
	}
	if err := b.powerOn(b.ctx, m); err != nil {
		b.opts.Log.Error("host did not come back from its reboot", "host", m.spec.ID, "error", err)
	}
}

func (b *Backend) change(hostID, verb string, f func(*machine) error) error {
	m, err := b.find(hostID)
	if err != nil {
		return fmt.Errorf("%s %w", verb, err)
	}
	defer m.Unlock()
	if err := f(m); err != nil {
		return fmt.Errorf("%s host %q: %w", verb, hostID, err)
	}
	return nil
}
