package digitalocean

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/digitalocean/godo"
	"github.com/google/uuid"
)

// reservedRanges may not be used by a VPC (DigitalOcean's VPC documentation).
var reservedRanges = []netip.Prefix{
	netip.MustParsePrefix("10.244.0.0/16"),
	netip.MustParsePrefix("10.245.0.0/16"),
	netip.MustParsePrefix("10.246.0.0/24"),
	netip.MustParsePrefix("10.229.0.0/16"),
}

// newVPC validates and adds a VPC. A region's first is its default, for good:
// that is not deleted unless another is made the default. c.mu is held.
func (c *Cloud) newVPC(in vpcCreate) (*vpc, error) {
	if !nameRE.MatchString(in.Name) {
		return nil, unprocessable("name is invalid: it must contain only alphanumeric characters, dashes, and periods")
	}
	if regionView(in.Region) == nil {
		return nil, unprocessable("region %q is invalid", in.Region)
	}
	if slices.ContainsFunc(c.vpcs, func(v *vpc) bool { return v.Name == in.Name }) {
		return nil, unprocessable("name %q is already in use by another VPC in your account", in.Name)
	}
	prefix, err := c.vpcRange(in.IPRange)
	if err != nil {
		return nil, err
	}
	id := uuid.NewString()
	v := &vpc{
		VPC: godo.VPC{
			ID: id, URN: "do:vpc:" + id, Name: in.Name, Description: in.Description,
			IPRange: prefix.String(), RegionSlug: in.Region, CreatedAt: time.Now().UTC().Truncate(time.Second),
			Default: !slices.ContainsFunc(c.vpcs, func(o *vpc) bool { return o.RegionSlug == in.Region }),
		},
		prefix:    prefix,
		lingering: map[int]string{},
	}
	c.vpcs = append(c.vpcs, v)
	return v, nil
}

// vpcRange checks the asked range, or picks a free one. c.mu is held.
func (c *Cloud) vpcRange(text string) (netip.Prefix, error) {
	if text == "" {
		for i := range 100 {
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(100 + i), 0, 0}), 20)
			if c.overlap(p) == nil {
				return p, nil
			}
		}
		return netip.Prefix{}, unprocessable("no free range is left")
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || !p.Addr().Is4() || p != p.Masked() {
		return netip.Prefix{}, unprocessable("ip_range %q is not a valid CIDR", text)
	}
	if !p.Addr().IsPrivate() {
		return netip.Prefix{}, unprocessable("ip_range %q is not a private network range (RFC 1918)", text)
	}
	if p.Bits() < 16 || p.Bits() > 28 {
		return netip.Prefix{}, unprocessable("ip_range %q: range size must be between /16 and /28", text)
	}
	if other := c.overlap(p); other != nil {
		return netip.Prefix{}, unprocessable("This range/size overlaps with another VPC network in your account: %s", other)
	}
	return p, nil
}

func (c *Cloud) overlap(p netip.Prefix) fmt.Stringer {
	for _, v := range c.vpcs {
		if v.prefix.Overlaps(p) {
			return v.prefix
		}
	}
	for _, q := range reservedRanges {
		if q.Overlaps(p) {
			return q
		}
	}
	return nil
}
