package network

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/stacks"
)

// The addresses of running servers: a change here moves them.
func TestAddressesAreForEver(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cidr  string
		role  stacks.Role
		index int
		want  string
	}{
		{"10.20.0.0/24", stacks.Gateway, 1, "10.20.0.32"},
		{"10.20.0.0/24", stacks.App, 1, "10.20.0.64"},
		{"10.20.0.0/24", stacks.DB, 1, "10.20.0.96"},
		{"10.20.0.0/24", stacks.Message, 1, "10.20.0.128"},
		{"10.20.0.0/24", stacks.Media, 1, "10.20.0.160"},
		{"10.20.0.0/24", stacks.App, 32, "10.20.0.95"},
		{"10.20.0.0/28", stacks.Gateway, 1, "10.20.0.2"},
		{"10.20.0.0/28", stacks.Media, 2, "10.20.0.11"},
		{"172.16.0.0/16", stacks.Gateway, 1, "172.16.32.0"},
		{"172.16.0.0/16", stacks.Media, 8192, "172.16.191.255"},
		{"192.168.255.0/24", stacks.DB, 2, "192.168.255.97"},
	} {
		got, err := Address(netip.MustParsePrefix(c.cidr), c.role, c.index)
		require.NoError(t, err, "%s %s %d", c.cidr, c.role, c.index)
		assert.Equal(t, c.want, got.String(), "%s %s %d", c.cidr, c.role, c.index)
	}
}

// What clouds keep for themselves in a network: the first two addresses and
// the last.
func TestNoAddressIsTheCloudsOrTaken(t *testing.T) {
	t.Parallel()
	for bits := minBits; bits <= maxBits; bits++ {
		cidr := netip.PrefixFrom(netip.MustParseAddr("10.0.0.0"), bits)
		seen := map[netip.Addr]bool{cidr.Addr(): true, cidr.Addr().Next(): true, offset(cidr.Addr(), 1<<(32-bits)-1): true}
		for _, role := range stacks.Roles(true) {
			for i := 1; ; i++ {
				addr, err := Address(cidr, role, i)
				if err != nil {
					require.GreaterOrEqual(t, i-1, 2, "%s leaves %s no room to grow", cidr, role)
					break
				}
				require.False(t, seen[addr], "%s: %s-%d has the taken address %s", cidr, role, i, addr)
				require.True(t, cidr.Contains(addr), "%s: %s-%d is outside: %s", cidr, role, i, addr)
				seen[addr] = true
			}
		}
	}
}

func TestPlanFollowsCounts(t *testing.T) {
	t.Parallel()
	cidr := netip.MustParsePrefix("10.20.0.0/24")
	one, err := NewPlan(cidr, map[stacks.Role]int{stacks.DB: 1, stacks.App: 1, stacks.Media: 1})
	require.NoError(t, err)
	grown, err := NewPlan(cidr, map[stacks.Role]int{stacks.DB: 1, stacks.App: 3})
	require.NoError(t, err)
	assert.Equal(t, one[stacks.DB], grown[stacks.DB], "more app servers or no media must move nobody")
	assert.Equal(t, one[stacks.App], grown[stacks.App][:1])
	assert.Len(t, grown[stacks.App], 3)
	assert.NotContains(t, grown, stacks.Media)

	_, err = NewPlan(netip.MustParsePrefix("10.20.0.0/28"), map[stacks.Role]int{stacks.DB: 3, stacks.App: 4})
	require.EqualError(t, err, "plan address of db-3: 10.20.0.0/28 holds 2 servers of a role\nplan address of app-3: 10.20.0.0/28 holds 2 servers of a role")
}

func TestUnfitNetworks(t *testing.T) {
	t.Parallel()
	for _, cidr := range []netip.Prefix{
		{}, netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/29"),
		netip.MustParsePrefix("10.0.0.1/24"), netip.MustParsePrefix("fd00::/24"),
	} {
		_, err := Address(cidr, stacks.DB, 1)
		require.ErrorContains(t, err, "construct:network.cidr: ", "%s", cidr)
	}
	_, err := Address(netip.MustParsePrefix("10.0.0.0/24"), "cache", 1)
	require.EqualError(t, err, `no addresses are planned for role "cache"`)
}
