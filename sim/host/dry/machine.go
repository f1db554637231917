package dry

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"

	"golang.org/x/crypto/ssh"

	"github.com/construct-server/infra/sim/host"
)

// machine is one host. Its fields are guarded by Backend.mu, which the methods
// named in lower case expect to be held, unless they say otherwise.
type machine struct {
	backend  *Backend
	spec     host.Spec
	login    *access
	config   *ssh.ServerConfig
	public   map[netip.Addr]bool
	private  map[string]netip.Addr // by network
	firewall *host.Firewall

	on      bool
	sshUp   bool
	refuse  bool
	life    context.Context // ends with the power
	endLife context.CancelFunc
	booted  chan struct{} // closed when the current boot is complete

	listeners map[netip.Addr]net.Listener
	conns     map[io.Closer]bool
}

// Create boots a host; its SSH port refuses until the boot delay is over.
func (b *Backend) Create(_ context.Context, s host.Spec) error {
	login, err := firstBoot(s)
	if err != nil {
		return fmt.Errorf("create host %q: %w", s.ID, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.machines[s.ID] != nil {
		return nil
	}
	m := &machine{
		backend: b, spec: s, login: login, config: login.serverConfig(login.hostKeys), firewall: s.Firewall,
		public: map[netip.Addr]bool{}, private: map[string]netip.Addr{},
		listeners: map[netip.Addr]net.Listener{}, conns: map[io.Closer]bool{},
	}
	if s.PublicIPv4.IsValid() {
		m.public[s.PublicIPv4] = true
	}
	if s.NetworkID != "" {
		if err := b.join(m, s.NetworkID, s.PrivateIPv4); err != nil {
			return fmt.Errorf("create host %q: %w", s.ID, err)
		}
	}
	b.machines[s.ID] = m
	for _, v := range s.Volumes {
		if err := b.attach(v.ID, s.ID, v.ByID); err != nil {
			delete(b.machines, s.ID)
			return fmt.Errorf("create host %q: %w", s.ID, err)
		}
	}
	m.powerOn(true)
	return nil
}

// Destroy removes a host; its volumes stay.
func (b *Backend) Destroy(_ context.Context, id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m := b.machines[id]; m != nil {
		m.powerOff()
		delete(b.machines, id)
	}
	for _, v := range b.volumes {
		if v.hostID == id {
			v.hostID, v.byID = "", ""
		}
	}
	return nil
}

// ShutDown is PowerOff: nothing runs that could be put in order.
func (b *Backend) ShutDown(ctx context.Context, id string) error { return b.PowerOff(ctx, id) }

// PowerOff cuts a host's connections and listeners.
func (b *Backend) PowerOff(_ context.Context, id string) error {
	return b.change("power off", id, (*machine).powerOff)
}

// PowerOn boots a host that is off.
func (b *Backend) PowerOn(_ context.Context, id string) error {
	return b.change("power on", id, func(m *machine) { m.powerOn(false) })
}

// Reboot returns once the host is down and booting again.
func (b *Backend) Reboot(_ context.Context, id string) error {
	return b.change("reboot", id, func(m *machine) {
		m.powerOff()
		m.powerOn(false)
	})
}

// RefuseSSH makes a host's SSH port refuse. Running sessions go on.
func (b *Backend) RefuseSSH(_ context.Context, hostID string, refuse bool) error {
	return b.change("refuse SSH on", hostID, func(m *machine) {
		m.refuse = refuse
		m.reconcile()
	})
}

// SwapHostKey makes a host show another host key. Running sessions go on.
func (b *Backend) SwapHostKey(_ context.Context, hostID string, swap bool) error {
	other, err := newHostKeys()
	if err != nil {
		return fmt.Errorf("swap host key of %q: %w", hostID, err)
	}
	return b.change("swap host key of", hostID, func(m *machine) {
		if !swap {
			other = m.login.hostKeys
		}
		m.config = m.login.serverConfig(other)
	})
}

// SetAccess gives a running host other host keys, and a user other keys to log
// in with, as a command would have that a test executes (Options.Execute).
// Running sessions go on.
func (b *Backend) SetAccess(hostID string, hostKeys []string, user string, lines []string) error {
	signers, err := parseHostKeys(hostKeys)
	if err != nil {
		return fmt.Errorf("set access of %q: %w", hostID, err)
	}
	next := &access{hostKeys: signers, keys: map[string]map[string]bool{}}
	if err := next.authorize(user, lines); err != nil {
		return fmt.Errorf("set access of %q: %w", hostID, err)
	}
	return b.change("set access of", hostID, func(m *machine) {
		for other, keys := range m.login.keys {
			if other != user {
				next.keys[other] = keys
			}
		}
		m.login, m.config = next, next.serverConfig(signers)
	})
}

// SetFirewall replaces the rules applied to private traffic.
func (b *Backend) SetFirewall(_ context.Context, hostID string, f *host.Firewall) error {
	return b.change("set firewall of", hostID, func(m *machine) { m.firewall = f })
}

// AssignPublic makes a host answer on a further address.
func (b *Backend) AssignPublic(_ context.Context, hostID string, addr netip.Addr) error {
	return b.change("assign "+addr.String()+" to", hostID, func(m *machine) {
		m.public[addr] = true
		m.reconcile()
	})
}

// UnassignPublic takes a further address away.
func (b *Backend) UnassignPublic(_ context.Context, hostID string, addr netip.Addr) error {
	return b.change("unassign "+addr.String()+" from", hostID, func(m *machine) {
		delete(m.public, addr)
		m.reconcile()
	})
}

// AttachNetwork puts a host into a network.
func (b *Backend) AttachNetwork(_ context.Context, hostID, networkID string, addr netip.Addr) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	m, err := b.find(hostID)
	if err != nil {
		return fmt.Errorf("attach network %q: %w", networkID, err)
	}
	return b.join(m, networkID, addr)
}

// DetachNetwork takes a host out of a network.
func (b *Backend) DetachNetwork(_ context.Context, hostID, networkID string) error {
	return b.change("detach network from", hostID, func(m *machine) { delete(m.private, networkID) })
}

func (b *Backend) join(m *machine, networkID string, addr netip.Addr) error {
	n, ok := b.networks[networkID]
	if !ok {
		return fmt.Errorf("attach network %q: does not exist", networkID)
	}
	if !n.Prefix.Contains(addr) {
		return fmt.Errorf("attach network %q: address %s is not in %s", networkID, addr, n.Prefix)
	}
	for _, other := range b.sorted() {
		if other != m && other.private[networkID] == addr {
			return fmt.Errorf("attach network %q: host %q has %s", networkID, other.spec.ID, addr)
		}
	}
	m.private[networkID] = addr
	return nil
}

func (b *Backend) change(verb, hostID string, f func(*machine)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	m, err := b.find(hostID)
	if err != nil {
		return fmt.Errorf("%s %w", verb, err)
	}
	f(m)
	return nil
}
