package apitest

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/construct-server/infra/sim/host"
)

// Host is the host of a name, as it is now.
type Host struct {
	Spec     host.Spec
	On       bool
	Refuses  bool
	Private  map[string]netip.Addr
	Public   []netip.Addr // beside the one of its creation
	Firewall *host.Firewall
}

// Host finds a host by its hostname.
func (b *Backend) Host(name string) (Host, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, m := range b.hosts {
		if m.spec.Hostname == name {
			return Host{m.spec, m.on, m.refuse, maps.Clone(m.private), slices.Clone(m.public), b.firewalls[id]}, true
		}
	}
	return Host{}, false
}

// Volume is the id of the host that a volume is attached to.
func (b *Backend) Volume(id string) (string, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, known := b.volumes[id]
	return at, known
}

// Left names what has not been removed, sorted.
func (b *Backend) Left() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for id := range b.hosts {
		out = append(out, "host "+id)
	}
	for id := range b.networks {
		out = append(out, "network "+id)
	}
	for id := range b.volumes {
		out = append(out, "volume "+id)
	}
	for a := range b.used {
		out = append(out, "address "+a.String())
	}
	slices.Sort(out)
	return out
}
