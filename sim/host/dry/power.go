package dry

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

func (m *machine) powerOn(first bool) {
	if m.on {
		return
	}
	m.on = true
	m.life, m.endLife = context.WithCancel(context.Background())
	m.booted = make(chan struct{})
	go m.boot(m.life, m.booted, first)
}

func (m *machine) powerOff() {
	if !m.on {
		return
	}
	m.on, m.sshUp = false, false
	m.endLife()
	m.reconcile()
	for conn := range m.conns {
		_ = conn.Close() // the power is gone: there is nobody to tell
		delete(m.conns, conn)
	}
}

// boot runs without Backend.mu.
func (m *machine) boot(life context.Context, booted chan struct{}, first bool) {
	opts := m.backend.opts
	steps := []struct {
		after time.Duration
		sshUp bool
	}{{opts.BootDelay, true}}
	if first && opts.RestartAfter > 0 {
		steps = append(steps, []struct {
			after time.Duration
			sshUp bool
		}{{opts.RestartAfter, false}, {opts.RestartFor, true}}...)
	}
	for _, step := range steps {
		select {
		case <-life.Done():
			return
		case <-time.After(step.after):
		}
		m.backend.mu.Lock()
		if life.Err() == nil {
			m.sshUp = step.sshUp
			m.reconcile()
		}
		m.backend.mu.Unlock()
	}
	close(booted)
}

// reachable reports whether sshd answers.
func (m *machine) reachable() bool { return m.on && m.sshUp && !m.refuse }

// reconcile opens and closes listeners to match the machine's state.
func (m *machine) reconcile() {
	for addr, l := range m.listeners {
		if !m.reachable() || !m.public[addr] {
			_ = l.Close() // a listener's close has no outcome to act on
			delete(m.listeners, addr)
		}
	}
	if !m.reachable() {
		return
	}
	for addr := range m.public {
		if m.listeners[addr] != nil {
			continue
		}
		at := netip.AddrPortFrom(addr, uint16(m.backend.opts.SSHPort))
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
		if err != nil {
			m.backend.opts.Log.Error("sshd cannot listen", slog.String("host", m.spec.ID), slog.Any("error", err))
			continue
		}
		m.listeners[addr] = l
		go m.accept(l)
	}
}

// accept runs without Backend.mu.
func (m *machine) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return // the listener was closed
		}
		go m.serve(conn)
	}
}
