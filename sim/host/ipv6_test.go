package host_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/construct-server/infra/sim/host"
)

func TestPublicIPv6OfTwoRangesDiffer(t *testing.T) {
	seen := map[netip.Prefix]string{}
	for _, public := range []string{"203.0.113.0/24", "198.51.100.0/25", "198.51.100.128/25", "198.18.50.0/24", "198.18.51.0/24", "127.77.0.0/16"} {
		for _, n := range []int{0, 1, 255, 256, 8191} {
			got := host.PublicIPv6(netip.MustParsePrefix(public), n)
			assert.Equal(t, 64, got.Bits())
			assert.True(t, netip.MustParsePrefix("2001:db8::/32").Contains(got.Addr()), "%s", got)
			assert.Empty(t, seen[got], "%s of %s is another's", got, public)
			seen[got] = public
		}
	}
	assert.Equal(t, "2001:db8:71:1::/64", host.PublicIPv6(netip.MustParsePrefix("203.0.113.0/24"), 1).String())
}
