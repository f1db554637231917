package firewall

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/construct-server/infra/cloud"
	"github.com/construct-server/infra/stacks"
)

// maxWhy is the length of a rule's description that both clouds take.
const maxWhy = 255

// Peers says what a matrix' endpoints are in one deployment.
type Peers struct {
	Roles     []stacks.Role  // the roles that exist
	Operators []netip.Prefix // ssh.allowedCidrs
}

// CloudRules are the matrix' rows for one role's servers. Rows that differ in
// their peers alone become one rule, since clouds refuse duplicates.
func CloudRules(matrix []Row, role stacks.Role, peers Peers) []cloud.Rule {
	type key struct {
		direction cloud.Direction
		protocol  cloud.Protocol
		port      int
	}
	rules := map[key]*cloud.Rule{}
	admit := func(direction cloud.Direction, row Row, peer stacks.Role) {
		k := key{direction, row.Protocol, row.Port}
		if rules[k] == nil {
			rules[k] = &cloud.Rule{Direction: direction, Protocol: row.Protocol, Port: row.Port}
		}
		addPeer(rules[k], peer, peers)
		addWhy(rules[k], row.Why)
	}
	for _, row := range matrix {
		if row.To == role || row.To == Fleet {
			admit(cloud.Inbound, row, row.From)
		}
		if row.From == role || row.From == Fleet {
			admit(cloud.Outbound, row, row.To)
		}
	}
	sorted := make([]cloud.Rule, 0, len(rules))
	for _, r := range rules {
		sorted = append(sorted, *r)
	}
	slices.SortFunc(sorted, func(a, b cloud.Rule) int {
		return cmp.Or(cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Port, b.Port))
	})
	return sorted
}

func addPeer(r *cloud.Rule, peer stacks.Role, peers Peers) {
	switch peer {
	case Internet:
		r.Prefixes = append(r.Prefixes, netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0"))
	case Operators:
		r.Prefixes = append(r.Prefixes, peers.Operators...)
	case Fleet:
		for _, role := range peers.Roles {
			r.Roles = append(r.Roles, string(role))
		}
	case stacks.Gateway, stacks.App, stacks.DB, stacks.Message, stacks.Media:
		r.Roles = append(r.Roles, string(peer))
	}
	slices.Sort(r.Roles)
	r.Roles = slices.Compact(r.Roles)
	slices.SortFunc(r.Prefixes, comparePrefixes)
	r.Prefixes = slices.Compact(r.Prefixes)
}

func comparePrefixes(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}

// addWhy joins reasons, as far as they fit, each once.
func addWhy(r *cloud.Rule, why string) {
	switch {
	case r.Why == "":
		r.Why = why
	case !slices.Contains(strings.Split(r.Why, "; "), why):
		r.Why += "; " + why
	}
	if len(r.Why) <= maxWhy {
		return
	}
	cut := maxWhy - len("…")
	for !utf8.RuneStart(r.Why[cut]) {
		cut--
	}
	r.Why = r.Why[:cut] + "…"
}
