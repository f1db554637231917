package firewall

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// family is the part of a list of prefixes that one of nftables' keywords, ip
// or ip6, can match.
type family struct {
	name     string
	prefixes []netip.Prefix
}

// families parts prefixes by IP version and leaves out what another one holds:
// nftables refuses sets whose members overlap.
func families(all []netip.Prefix) []family {
	four, six := family{name: "ip"}, family{name: "ip6"}
	for _, p := range all {
		p = p.Masked()
		held := slices.ContainsFunc(all, func(other netip.Prefix) bool {
			other = other.Masked()
			return other.Bits() < p.Bits() && other.Overlaps(p)
		})
		switch {
		case held:
		case p.Addr().Is4():
			four.prefixes = append(four.prefixes, p)
		default:
			six.prefixes = append(six.prefixes, p)
		}
	}
	var found []family
	for _, f := range []family{four, six} {
		slices.SortFunc(f.prefixes, comparePrefixes)
		if f.prefixes = slices.Compact(f.prefixes); len(f.prefixes) > 0 {
			found = append(found, f)
		}
	}
	return found
}

// set writes addresses or prefixes as nftables does, a single one without
// braces.
func set[T fmt.Stringer](members []T) string {
	words := make([]string, len(members))
	for i, m := range members {
		words[i] = m.String()
	}
	if len(words) == 1 {
		return words[0]
	}
	return "{ " + strings.Join(words, ", ") + " }"
}
