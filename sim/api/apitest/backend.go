// Package apitest holds a host backend without hosts, for tests of the emulated
// APIs: it remembers what it was told and refuses what no backend could do.
package apitest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"github.com/construct-server/infra/sim/host"
)

// Backend is a host.Backend that only remembers.
type Backend struct {
	mu        sync.Mutex
	next      netip.Addr
	used      map[netip.Addr]bool
	networks  map[string]host.Network
	hosts     map[string]*machine
	volumes   map[string]string // host by volume, "" when detached
	firewalls map[string]*host.Firewall
	pushes    int
}

type machine struct {
	spec    host.Spec
	on      bool
	refuse  bool
	private map[string]netip.Addr
	public  []netip.Addr
}

var _ host.Backend = (*Backend)(nil)

// Prefix is the public range of a Backend.
var Prefix = netip.MustParsePrefix("203.0.113.0/24")

// NewBackend returns an empty backend.
func NewBackend() *Backend {
	return &Backend{
		next: netip.MustParseAddr("203.0.113.10"), used: map[netip.Addr]bool{},
		networks: map[string]host.Network{}, hosts: map[string]*machine{},
		volumes: map[string]string{}, firewalls: map[string]*host.Firewall{},
	}
}

// Kind implements host.Backend.
func (b *Backend) Kind() string { return "dry" }

// PublicPrefix implements host.Backend.
func (b *Backend) PublicPrefix() netip.Prefix { return Prefix }

// NextPublic implements host.Backend.
func (b *Backend) NextPublic() (netip.Addr, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for a := b.next; Prefix.Contains(a); a = a.Next() {
		if !b.used[a] {
			b.used[a] = true
			return a, nil
		}
	}
	return netip.Addr{}, errors.New("no public address left")
}

// ReleasePublic implements host.Backend.
func (b *Backend) ReleasePublic(a netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.used, a)
}

// CreateNetwork implements host.Backend.
func (b *Backend) CreateNetwork(_ context.Context, n host.Network) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.networks[n.ID] = n
	return nil
}

// DeleteNetwork implements host.Backend.
func (b *Backend) DeleteNetwork(_ context.Context, id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.hosts {
		if _, in := m.private[id]; in {
			return fmt.Errorf("network %q has host %q in it", id, m.spec.ID)
		}
	}
	delete(b.networks, id)
	return nil
}

// Create implements host.Backend.
func (b *Backend) Create(_ context.Context, s host.Spec) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := &machine{spec: s, on: true, private: map[string]netip.Addr{}}
	if s.NetworkID != "" {
		if _, known := b.networks[s.NetworkID]; !known {
			return fmt.Errorf("no network %q", s.NetworkID)
		}
		m.private[s.NetworkID] = s.PrivateIPv4
	}
	for _, v := range s.Volumes {
		if at, known := b.volumes[v.ID]; !known || at != "" {
			return fmt.Errorf("volume %q: known %t, attached to %q", v.ID, known, at)
		}
		b.volumes[v.ID] = s.ID
	}
	b.hosts[s.ID], b.firewalls[s.ID] = m, s.Firewall
	return nil
}

// Destroy implements host.Backend.
func (b *Backend) Destroy(_ context.Context, id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for v, at := range b.volumes {
		if at == id {
			b.volumes[v] = ""
		}
	}
	delete(b.hosts, id)
	delete(b.firewalls, id)
	return nil
}

func (b *Backend) with(id string, do func(*machine) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	m, known := b.hosts[id]
	if !known {
		return fmt.Errorf("no host %q", id)
	}
	return do(m)
}

// PowerOff implements host.Backend.
func (b *Backend) PowerOff(_ context.Context, id string) error {
	return b.with(id, func(m *machine) error { m.on = false; return nil })
}

// ShutDown implements host.Backend.
func (b *Backend) ShutDown(ctx context.Context, id string) error { return b.PowerOff(ctx, id) }

// PowerOn implements host.Backend.
func (b *Backend) PowerOn(_ context.Context, id string) error {
	return b.with(id, func(m *machine) error { m.on = true; return nil })
}

// Reboot implements host.Backend.
func (b *Backend) Reboot(_ context.Context, id string) error {
	return b.with(id, func(m *machine) error { m.on = true; return nil })
}

// AttachNetwork implements host.Backend.
func (b *Backend) AttachNetwork(_ context.Context, id, network string, a netip.Addr) error {
	return b.with(id, func(m *machine) error { m.private[network] = a; return nil })
}

// DetachNetwork implements host.Backend.
func (b *Backend) DetachNetwork(_ context.Context, id, network string) error {
	return b.with(id, func(m *machine) error { delete(m.private, network); return nil })
}

// AssignPublic implements host.Backend.
func (b *Backend) AssignPublic(_ context.Context, id string, a netip.Addr) error {
	return b.with(id, func(m *machine) error { m.public = append(m.public, a); return nil })
}

// UnassignPublic implements host.Backend.
func (b *Backend) UnassignPublic(_ context.Context, id string, a netip.Addr) error {
	return b.with(id, func(m *machine) error {
		m.public = slices.DeleteFunc(m.public, func(o netip.Addr) bool { return o == a })
		return nil
	})
}

// CreateVolume implements host.Backend.
func (b *Backend) CreateVolume(_ context.Context, id string, _ int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.volumes[id] = ""
	return nil
}

// ResizeVolume implements host.Backend.
func (b *Backend) ResizeVolume(context.Context, string, int) error { return nil }

// AttachVolume implements host.Backend.
func (b *Backend) AttachVolume(_ context.Context, volume, id, _ string) error {
	return b.with(id, func(*machine) error { b.volumes[volume] = id; return nil })
}

// DetachVolume implements host.Backend.
func (b *Backend) DetachVolume(_ context.Context, volume, id string) error {
	return b.with(id, func(*machine) error { b.volumes[volume] = ""; return nil })
}

// DeleteVolume implements host.Backend.
func (b *Backend) DeleteVolume(_ context.Context, id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if at := b.volumes[id]; at != "" {
		return fmt.Errorf("volume %q is attached to %q", id, at)
	}
	delete(b.volumes, id)
	return nil
}

// SetFirewall implements host.Backend.
func (b *Backend) SetFirewall(_ context.Context, id string, f *host.Firewall) error {
	return b.with(id, func(*machine) error { b.firewalls[id] = f; b.pushes++; return nil })
}

// RefuseSSH implements host.Backend.
func (b *Backend) RefuseSSH(_ context.Context, id string, refuse bool) error {
	return b.with(id, func(m *machine) error { m.refuse = refuse; return nil })
}

// SwapHostKey implements host.Backend.
func (b *Backend) SwapHostKey(_ context.Context, id string, _ bool) error {
	return b.with(id, func(*machine) error { return nil })
}

// Commands implements host.Backend.
func (b *Backend) Commands(_ context.Context, id string) ([]host.Command, error) {
	var out []host.Command
	err := b.with(id, func(*machine) error { out = []host.Command{{User: "root", Text: "true"}}; return nil })
	return out, err
}

// Close implements host.Backend.
func (b *Backend) Close(context.Context) error { return nil }
