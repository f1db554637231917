package container

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"
	"sync"

	"github.com/construct-server/infra/sim/host"
	"github.com/construct-server/infra/sim/host/addrpool"
)

// Backend is the container host.Backend.
type Backend struct {
	opts    Options
	pool    *addrpool.Pool
	caps    []string // for --cap-add
	cgroups []string // arguments of docker create
	helper  helper
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	done    sync.WaitGroup // the watcher

	mu       sync.Mutex // guards what follows; never held while the engine works
	networks map[string]host.Network
	machines map[string]*machine
	volumes  map[string]*volume
	loss     int // of all packets, in percent

	nft sync.Mutex // one ruleset is loaded at a time
}

var (
	_ host.Backend = (*Backend)(nil)
	_ host.Loser   = (*Backend)(nil)
)

// New removes what an earlier process left of the instance, makes the public
// network and starts the helper container.
func New(ctx context.Context, opts Options) (*Backend, error) {
	if err := opts.complete(); err != nil {
		return nil, fmt.Errorf("start container hosts: %w", err)
	}
	if err := Sweep(ctx, opts.Instance); err != nil {
		return nil, fmt.Errorf("start container hosts: %w", err)
	}
	b := &Backend{
		opts:     opts,
		pool:     addrpool.New(opts.Prefix, nil),
		helper:   helper{instance: opts.Instance},
		networks: map[string]host.Network{},
		machines: map[string]*machine{},
		volumes:  map[string]*volume{},
	}
	var err error
	if b.caps, err = capabilities("/proc/1/status"); err != nil {
		return nil, fmt.Errorf("start container hosts: %w", err)
	}
	if b.cgroups, err = cgroupArgs(ctx); err != nil {
		return nil, fmt.Errorf("start container hosts: %w", err)
	}
	if err := b.startInstance(ctx); err != nil {
		return nil, fmt.Errorf("start container hosts: %w", errors.Join(err, Sweep(context.WithoutCancel(ctx), opts.Instance)))
	}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	if err := b.watch(); err != nil {
		b.cancel()
		return nil, fmt.Errorf("start container hosts: %w", errors.Join(err, Sweep(context.WithoutCancel(ctx), opts.Instance)))
	}
	return b, nil
}

func (b *Backend) startInstance(ctx context.Context) error {
	if err := b.sharePrograms(ctx); err != nil {
		return err
	}
	if err := b.helper.start(ctx, b.opts.Image, b.caps); err != nil {
		return err
	}
	args := append([]string{"network", "create", "--internal", "--subnet", b.opts.Prefix.String(),
		"--opt", "com.docker.network.bridge.name=" + b.publicBridge()}, labels(b.opts.Instance)...)
	if _, err := docker(ctx, nil, append(args, b.opts.publicNetwork())...); err != nil {
		return fmt.Errorf("create public network %s: %w", b.opts.Prefix, err)
	}
	return b.applyFirewalls(ctx)
}

// publicBridge names the public network's interface on the machine, at most 15
// characters (IFNAMSIZ).
func (b *Backend) publicBridge() string {
	sum := fnv.New32a()
	sum.Write([]byte(b.opts.Instance))
	return fmt.Sprintf("csim%08x", sum.Sum32())
}

// Kind is "container".
func (b *Backend) Kind() string { return "container" }

// PublicPrefix is the range of the public addresses; its first address is the
// machine's own.
func (b *Backend) PublicPrefix() netip.Prefix { return b.opts.Prefix }

// NextPublic reserves a public address.
func (b *Backend) NextPublic() (netip.Addr, error) { return b.pool.Next() }

// ReleasePublic gives a public address back.
func (b *Backend) ReleasePublic(addr netip.Addr) { b.pool.Release(addr) }

// Close removes everything the backend made.
func (b *Backend) Close(ctx context.Context) error {
	b.cancel()
	b.done.Wait()
	b.mu.Lock()
	clear(b.machines)
	clear(b.networks)
	clear(b.volumes)
	b.mu.Unlock()
	b.pool.Close()
	return Sweep(ctx, b.opts.Instance)
}

// find returns a machine with its lock held; unlock it.
func (b *Backend) find(hostID string) (*machine, error) {
	b.mu.Lock()
	m := b.machines[hostID]
	b.mu.Unlock()
	if m == nil {
		return nil, fmt.Errorf("host %q: does not exist", hostID)
	}
	m.Lock()
	if m.gone {
		m.Unlock()
		return nil, fmt.Errorf("host %q: does not exist", hostID)
	}
	return m, nil
}
