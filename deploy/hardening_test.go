package deploy

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
)

var testOperators = []netip.Prefix{
	netip.MustParsePrefix("198.51.100.7/32"), netip.MustParsePrefix("198.18.0.0/16"),
	netip.MustParsePrefix("2001:db8:1::/48"), netip.MustParsePrefix("::/0"),
}

// Whoever is let in by a large network is banned like anybody else: an exempt
// Internet would be no ban at all.
func TestBansExemptSmallNetworksOnly(t *testing.T) {
	t.Parallel()
	fleet := netip.MustParsePrefix("10.20.0.0/24")
	assert.Equal(t, []netip.Prefix{fleet, testOperators[0], testOperators[2]}, Hardening{Operators: testOperators}.trusted(fleet))
	assert.Equal(t, []netip.Prefix{fleet}, Hardening{Operators: testOperators[3:]}.trusted(fleet), "the fleet itself is always exempt")
	assert.Empty(t, Hardening{}.trusted(fleet), "behind the gateway nobody is banned")
}
