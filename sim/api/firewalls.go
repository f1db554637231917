package api

import (
	"context"
	"reflect"
	"slices"
	"sync"

	"github.com/construct-server/infra/sim/host"
)

// Effective is the firewall that one host should have; nil: none.
type Effective struct {
	HostID   string
	Firewall *host.Firewall
}

// Firewalls pushes effective firewalls to a backend's hosts, one push at a
// time and only what changed since the last.
type Firewalls struct {
	backend host.Backend
	failed  func(hostID string, err error)

	mu     sync.Mutex
	pushed map[string]*host.Firewall // what each host has now
}

// NewFirewalls returns a Firewalls that has pushed nothing. failed is told of
// every push that a host did not take, unless the host is no longer wanted by
// then: it was destroyed meanwhile. The next Push repeats it.
func NewFirewalls(backend host.Backend, failed func(hostID string, err error)) *Firewalls {
	return &Firewalls{backend: backend, failed: failed, pushed: map[string]*host.Firewall{}}
}

// Push gives every host what want says. want is asked when it is this push's
// turn, so that the last push has the latest state.
func (f *Firewalls) Push(ctx context.Context, want func() []Effective) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range want() {
		old, known := f.pushed[e.HostID]
		if known && reflect.DeepEqual(old, e.Firewall) {
			continue
		}
		if err := f.backend.SetFirewall(ctx, e.HostID, e.Firewall); err != nil {
			if slices.ContainsFunc(want(), func(now Effective) bool { return now.HostID == e.HostID }) {
				f.failed(e.HostID, err)
			}
			continue
		}
		f.pushed[e.HostID] = e.Firewall
	}
}

// Forget drops what was pushed to a host that is gone.
func (f *Firewalls) Forget(hostID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.pushed, hostID)
}
