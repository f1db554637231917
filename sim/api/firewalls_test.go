package api_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/host"
)

// pushed is a backend that notes whose firewall it was given.
type pushed struct {
	host.Backend
	hosts []string
	err   error
}

func (p *pushed) SetFirewall(_ context.Context, hostID string, _ *host.Firewall) error {
	p.hosts = append(p.hosts, hostID)
	return p.err
}

func TestFirewallsPushWhatChanged(t *testing.T) {
	t.Parallel()
	backend, failures := &pushed{}, []string{}
	f := api.NewFirewalls(backend, func(id string, _ error) { failures = append(failures, id) })
	push := func(want ...api.Effective) []string {
		backend.hosts = nil
		f.Push(t.Context(), func() []api.Effective { return want })
		return backend.hosts
	}
	open, none := api.Effective{HostID: "a", Firewall: &host.Firewall{}}, api.Effective{HostID: "b"}

	require.Equal(t, []string{"a", "b"}, push(open, none), "the first push, even of no firewall")
	require.Empty(t, push(open, none), "nothing changed")
	require.Equal(t, []string{"b"}, push(open, api.Effective{HostID: "b", Firewall: &host.Firewall{}}))

	f.Forget("a")
	backend.err = errors.New("host is busy")
	require.Equal(t, []string{"a"}, push(open), "a new host of the same name")
	require.Equal(t, []string{"a"}, push(open), "a failed push is repeated")
	require.Equal(t, []string{"a", "a"}, failures)
}

// A host may be destroyed between the question what it should have and the
// push. That is no failure; one of a host that is still there is.
func TestFirewallsAreSilentAboutHostsThatGo(t *testing.T) {
	t.Parallel()
	backend, failures := &pushed{err: errors.New("does not exist")}, []string{}
	f := api.NewFirewalls(backend, func(id string, _ error) { failures = append(failures, id) })
	both := []api.Effective{{HostID: "goes"}, {HostID: "stays"}}
	f.Push(t.Context(), func() []api.Effective {
		if len(backend.hosts) == 0 {
			return both
		}
		return both[1:]
	})
	require.Equal(t, []string{"goes", "stays"}, backend.hosts)
	require.Equal(t, []string{"stays"}, failures)
}
