package container

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/construct-server/infra/sim/host"
)

// CreateNetwork makes a private network. Two networks on one machine cannot
// overlap, whichever simulator made them.
func (b *Backend) CreateNetwork(ctx context.Context, n host.Network) error {
	b.mu.Lock()
	_, known := b.networks[n.ID]
	b.mu.Unlock()
	if known {
		return nil
	}
	args := append([]string{"network", "create", "--internal", "--subnet", n.Prefix.Masked().String()}, labels(b.opts.Instance)...)
	if n.MTU > 0 {
		args = append(args, "--opt", "com.docker.network.driver.mtu="+strconv.Itoa(n.MTU))
	}
	if _, err := docker(ctx, nil, append(args, b.opts.privateNetwork(n.ID))...); err != nil {
		return fmt.Errorf("create network %q (%s): %w", n.ID, n.Prefix, err)
	}
	b.mu.Lock()
	b.networks[n.ID] = n
	lossy := b.loss > 0
	b.mu.Unlock()
	if lossy {
		return b.applyLoss(ctx)
	}
	return nil
}

// DeleteNetwork removes a private network; it fails while a host is in it.
func (b *Backend) DeleteNetwork(ctx context.Context, id string) error {
	if _, err := docker(ctx, nil, "network", "rm", b.opts.privateNetwork(id)); err != nil && !missing(err) {
		return fmt.Errorf("delete network %q: %w", id, err)
	}
	b.mu.Lock()
	delete(b.networks, id)
	b.mu.Unlock()
	return nil
}

// AttachNetwork puts a host into a network: a new interface appears on it.
func (b *Backend) AttachNetwork(ctx context.Context, hostID, networkID string, addr netip.Addr) error {
	return b.change(hostID, "attach network "+strconv.Quote(networkID)+" to", func(m *machine) error {
		if m.private[networkID] == addr {
			return nil
		}
		m.private[networkID] = addr
		b.setFilter(m, func(f *filter) { f.private[networkID] = addr })
		if err := b.applyFirewalls(ctx); err != nil {
			return err
		}
		if m.on {
			if err := b.connect(ctx, m, networkID); err != nil {
				delete(m.private, networkID)
				b.setFilter(m, func(f *filter) { delete(f.private, networkID) })
				return err
			}
		}
		return put(ctx, m.name, m.settings(&b.opts))
	})
}

// DetachNetwork takes a host out of a network.
func (b *Backend) DetachNetwork(ctx context.Context, hostID, networkID string) error {
	return b.change(hostID, "detach network "+strconv.Quote(networkID)+" from", func(m *machine) error {
		if _, in := m.private[networkID]; !in {
			return nil
		}
		_, err := docker(ctx, nil, "network", "disconnect", "--force", b.opts.privateNetwork(networkID), m.name)
		if err != nil && m.connected[networkID] {
			return err
		}
		delete(m.private, networkID)
		delete(m.connected, networkID)
		b.setFilter(m, func(f *filter) { delete(f.private, networkID) })
		if err := b.applyFirewalls(ctx); err != nil {
			return err
		}
		return put(ctx, m.name, m.settings(&b.opts))
	})
}

// AssignPublic gives a host a further public address, for good: csim-init adds
// it again at every boot.
func (b *Backend) AssignPublic(ctx context.Context, hostID string, addr netip.Addr) error {
	return b.change(hostID, "assign "+addr.String()+" to", func(m *machine) error {
		if slices.Contains(m.extra, addr) {
			return nil
		}
		m.extra = append(m.extra, addr)
		b.setFilter(m, func(f *filter) { f.extra = slices.Clone(m.extra) })
		if err := b.applyFirewalls(ctx); err != nil {
			return err
		}
		if m.on {
			// arping: whoever knew the address elsewhere must learn its new place.
			const add = `ip address replace "$1/32" dev eth0; arping -q -U -c 2 -w 1 -I eth0 "$1" || true`
			if _, err := shell(ctx, m.name, add, addr.String()); err != nil {
				return err
			}
		}
		return put(ctx, m.name, m.settings(&b.opts))
	})
}

// UnassignPublic takes a further public address away.
func (b *Backend) UnassignPublic(ctx context.Context, hostID string, addr netip.Addr) error {
	return b.change(hostID, "unassign "+addr.String()+" from", func(m *machine) error {
		at := slices.Index(m.extra, addr)
		if at < 0 {
			return nil
		}
		m.extra = slices.Delete(m.extra, at, at+1)
		b.setFilter(m, func(f *filter) { f.extra = slices.Clone(m.extra) })
		if m.on {
			if _, err := shell(ctx, m.name, `ip address del "$1/32" dev eth0`, addr.String()); err != nil {
				return err
			}
		}
		if err := put(ctx, m.name, m.settings(&b.opts)); err != nil {
			return err
		}
		return b.applyFirewalls(ctx)
	})
}

// machineIPv6 is the machine's own address towards the hosts; they reach it by
// way of fe80::1, as at Hetzner.
const machineIPv6 = "2001:db8:ffff::1"

// routeIPv6 lets the machine reach a host's IPv6 address.
func (b *Backend) routeIPv6(ctx context.Context, addr netip.Addr) error {
	const script = `sysctl -qw "net.ipv6.conf.$1.disable_ipv6=0"
		ip -6 address replace fe80::1/64 dev "$1" nodad
		ip -6 address replace "$2/128" dev "$1" nodad
		ip -6 route replace "$3/128" dev "$1" src "$2"`
	if _, err := b.helper.run(ctx, script, b.publicBridge(), machineIPv6, addr.String()); err != nil {
		return fmt.Errorf("route %s: %w", addr, err)
	}
	return nil
}
