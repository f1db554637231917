package container

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"sync"

	"github.com/construct-server/infra/sim/host"
)

// machine is one host. Its lock is held while the engine works on it; filter
// is guarded by Backend.mu.
type machine struct {
	sync.Mutex
	spec      host.Spec
	name      string // of the container
	gone      bool
	on        bool
	connected map[string]bool // private networks, in the engine's eyes
	private   map[string]netip.Addr
	extra     []netip.Addr    // further public addresses
	disks     map[string]disk // by volume
	commands  []host.Command  // as last read

	filter filter
}

// base is the network that a host is created in, whose interface is eth0. The
// engine orders the interfaces of several networks at random, so that the
// others are connected once the host runs.
func (m *machine) base(o *Options) (network string, addr netip.Addr, err error) {
	switch {
	case m.spec.PublicIPv4.IsValid():
		return o.publicNetwork(), m.spec.PublicIPv4, nil
	case m.spec.NetworkID != "":
		return o.privateNetwork(m.spec.NetworkID), m.spec.PrivateIPv4, nil
	}
	return "", netip.Addr{}, errors.New("it has neither a public address nor a private network")
}

func (m *machine) inBase(networkID string) bool {
	return !m.spec.PublicIPv4.IsValid() && networkID == m.spec.NetworkID
}

// Create boots a host. Its firewall is in effect before its first packet.
func (b *Backend) Create(ctx context.Context, s host.Spec) error {
	m := &machine{
		spec: s, name: b.opts.container(s.ID),
		connected: map[string]bool{}, private: map[string]netip.Addr{}, disks: map[string]disk{},
	}
	if s.NetworkID != "" {
		m.private[s.NetworkID] = s.PrivateIPv4
	}
	m.Lock()
	defer m.Unlock()
	b.mu.Lock()
	known := b.machines[s.ID] != nil
	if !known {
		m.filter = newFilter(s)
		b.machines[s.ID] = m
	}
	b.mu.Unlock()
	if known {
		return nil
	}
	if err := b.create(ctx, m); err != nil {
		return errors.Join(fmt.Errorf("create host %q: %w", s.ID, err), b.remove(context.WithoutCancel(ctx), m))
	}
	return nil
}

func (b *Backend) create(ctx context.Context, m *machine) error {
	args, err := b.createArgs(m)
	if err != nil {
		return err
	}
	if err := b.newVolumes(ctx, m.spec.ID); err != nil {
		return err
	}
	if _, err := docker(ctx, nil, args...); err != nil {
		return err
	}
	for _, v := range m.spec.Volumes {
		if err := b.attach(m, v.ID, v.ByID); err != nil {
			return err
		}
	}
	if err := put(ctx, m.name, append(b.seed(m.spec), m.settings(&b.opts)...)); err != nil {
		return err
	}
	if m.spec.PublicIPv6.IsValid() {
		if err := b.routeIPv6(ctx, m.spec.PublicIPv6); err != nil {
			return err
		}
	}
	if err := b.applyFirewalls(ctx); err != nil {
		return err
	}
	return b.powerOn(ctx, m)
}

func (b *Backend) createArgs(m *machine) ([]string, error) {
	network, addr, err := m.base(&b.opts)
	if err != nil {
		return nil, err
	}
	args := append([]string{"create", "--name", m.name, "--hostname", m.spec.Hostname,
		"--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec",
		"--volume", b.opts.dockerRoot(m.spec.ID) + ":/var/lib/docker",
		"--volume", b.opts.programs() + ":" + sharedUsr + ":ro", "--volume", b.opts.usrLayer(m.spec.ID) + ":" + ownUsr,
		"--stop-signal", "SIGRTMIN+3", "--network", network, "--ip", addr.String()}, labels(b.opts.Instance)...)
	args = append(args, confinement(b.caps)...)
	args = append(args, b.cgroups...)
	if m.spec.MemoryMB > 0 {
		limit := strconv.Itoa(m.spec.MemoryMB) + "m"
		args = append(args, "--memory", limit, "--memory-swap", limit)
	}
	return append(args, b.opts.Image), nil
}

// Destroy removes a host and its own disk; its volumes stay.
func (b *Backend) Destroy(ctx context.Context, id string) error {
	m, err := b.find(id)
	if err != nil {
		return nil //nolint:nilerr // what does not exist is destroyed
	}
	defer m.Unlock()
	if err := b.remove(ctx, m); err != nil {
		return fmt.Errorf("destroy host %q: %w", id, err)
	}
	return nil
}

func (b *Backend) remove(ctx context.Context, m *machine) error {
	if _, err := docker(ctx, nil, "rm", "--force", "--volumes", m.name); err != nil && !missing(err) {
		return err
	}
	if _, err := docker(ctx, nil, append([]string{"volume", "rm", "--force"}, b.hostVolumes(m.spec.ID)...)...); err != nil && !missing(err) {
		return err
	}
	m.gone, m.on = true, false
	b.mu.Lock()
	delete(b.machines, m.spec.ID)
	for _, v := range b.volumes {
		if v.hostID == m.spec.ID {
			v.hostID = ""
		}
	}
	b.mu.Unlock()
	return b.applyFirewalls(ctx)
}

// networkIDs lists the private networks a host is in, sorted.
func (m *machine) networkIDs() []string { return slices.Sorted(maps.Keys(m.private)) }
