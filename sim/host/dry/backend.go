package dry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/construct-server/infra/sim/host"
	"github.com/construct-server/infra/sim/host/addrpool"
)

// Defaults of Options.
const (
	DefaultPrefix  = "127.77.0.0/16"
	DefaultSSHPort = 2222
)

// Options configures a Backend. The zero value is usable.
type Options struct {
	Prefix  netip.Prefix // loopback range of the public addresses; default DefaultPrefix
	SSHPort int          // port of sshd on every address; default DefaultSSHPort

	// BootDelay is how long after Create, PowerOn or Reboot a host's SSH port
	// refuses. Default: none.
	BootDelay time.Duration
	// RestartAfter is when, after its first start, sshd restarts once during a
	// host's first boot, as it does on real clouds. 0: it does not.
	RestartAfter time.Duration
	// RestartFor is how long the port refuses during that restart.
	RestartFor time.Duration

	// Respond answers a command in a test's stead. Default: no output, exit 0.
	Respond func(hostID, command string) (stdout string, exit int)
	// Execute is Respond for a test that needs a command's standard input, or
	// answers on standard error too. Respond is not asked then.
	Execute func(hostID, command string, stdin []byte) (stdout, stderr string, exit int)
	// Log receives what a host's console would. Default: discarded.
	Log *slog.Logger
}

// Backend is the dry host.Backend.
type Backend struct {
	opts Options
	pool *addrpool.Pool

	mu       sync.Mutex
	networks map[string]host.Network
	machines map[string]*machine
	volumes  map[string]*volume
	commands map[string][]host.Command // kept after a host is destroyed
	cut      func(hostID, command string) (time.Duration, bool)
	slow     time.Duration // before sshd greets
}

var (
	_ host.Backend = (*Backend)(nil)
	_ host.Cutter  = (*Backend)(nil)
)

// New returns a backend without hosts.
func New(opts Options) *Backend {
	if !opts.Prefix.IsValid() {
		opts.Prefix = netip.MustParsePrefix(DefaultPrefix)
	}
	if opts.SSHPort == 0 {
		opts.SSHPort = DefaultSSHPort
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	return &Backend{
		opts:     opts,
		pool:     addrpool.New(opts.Prefix, claimUDP(opts.SSHPort)),
		networks: map[string]host.Network{},
		machines: map[string]*machine{},
		volumes:  map[string]*volume{},
		commands: map[string][]host.Command{},
		cut:      func(string, string) (time.Duration, bool) { return 0, false },
	}
}

// claimUDP claims an address by binding the SSH port's UDP twin: it keeps other
// processes' simulators off the address, and leaves TCP free to refuse.
func claimUDP(port int) addrpool.Claim {
	return func(addr netip.Addr) (io.Closer, error) {
		return net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, uint16(port))))
	}
}

// Kind is "dry".
func (b *Backend) Kind() string { return "dry" }

// PublicPrefix is the loopback range of the public addresses.
func (b *Backend) PublicPrefix() netip.Prefix { return b.opts.Prefix }

// NextPublic reserves a loopback address against every other dry backend on
// the machine.
func (b *Backend) NextPublic() (netip.Addr, error) { return b.pool.Next() }

// ReleasePublic gives an address back.
func (b *Backend) ReleasePublic(addr netip.Addr) { b.pool.Release(addr) }

// CreateNetwork notes a private network.
func (b *Backend) CreateNetwork(_ context.Context, n host.Network) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.networks[n.ID] = n
	return nil
}

// DeleteNetwork forgets a network; it fails while a host is in it.
func (b *Backend) DeleteNetwork(_ context.Context, id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.sorted() {
		if _, in := m.private[id]; in {
			return fmt.Errorf("delete network %q: host %q is in it", id, m.spec.ID)
		}
	}
	delete(b.networks, id)
	return nil
}

// Commands lists what was run on a host, destroyed ones included.
func (b *Backend) Commands(_ context.Context, hostID string) ([]host.Command, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := slices.Clone(b.commands[hostID])
	slices.SortStableFunc(list, func(x, y host.Command) int { return x.Time.Compare(y.Time) })
	return list, nil
}

// OnCommand sets who says which connections are cut; until then, nobody does.
func (b *Backend) OnCommand(ask func(hostID, command string) (time.Duration, bool)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cut = ask
}

// SlowLogins makes the sshd of every host wait before it greets, as over a long
// way. Default: it does not.
func (b *Backend) SlowLogins(wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slow = wait
}

// Close destroys everything and gives all addresses back.
func (b *Backend) Close(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, m := range b.machines {
		m.powerOff()
		delete(b.machines, id)
	}
	clear(b.networks)
	clear(b.volumes)
	b.pool.Close()
	return nil
}

func (b *Backend) record(hostID string, c host.Command) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.commands[hostID] = append(b.commands[hostID], c)
}

// sorted lists the machines by id; b.mu is held.
func (b *Backend) sorted() []*machine {
	list := make([]*machine, 0, len(b.machines))
	for _, m := range b.machines {
		list = append(list, m)
	}
	slices.SortFunc(list, func(x, y *machine) int { return strings.Compare(x.spec.ID, y.spec.ID) })
	return list
}

// find returns a machine; b.mu is held.
func (b *Backend) find(hostID string) (*machine, error) {
	if m := b.machines[hostID]; m != nil {
		return m, nil
	}
	return nil, fmt.Errorf("host %q: does not exist", hostID)
}
