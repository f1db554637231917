package firewall

import (
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"text/template"

	"github.com/construct-server/infra/cloud"
	"github.com/construct-server/infra/stacks"
)

//go:embed host.nft
var hostText string

var hostTemplate = template.Must(template.New("host.nft").Option("missingkey=error").Parse(hostText)) //nolint:gochecknoglobals // a constant

// Host is what the matrix becomes true for on one server.
type Host struct {
	Role      stacks.Role
	Private   netip.Addr                   // the server's own private address
	Servers   map[stacks.Role][]netip.Addr // every server's private address, this one's included
	Operators []netip.Prefix               // ssh.allowedCidrs
}

// HostRules is the matrix as one server's nftables ruleset, for "nft -f". It is
// a pure function: equal arguments give equal bytes.
func HostRules(matrix []Row, h Host) (string, error) {
	if !slices.Contains(h.Servers[h.Role], h.Private) {
		return "", fmt.Errorf("rules of a %s server: its address %s is not among the role's", h.Role, h.Private)
	}
	view := struct {
		Role                                                stacks.Role
		Inbound, NoGap, Containers, Outbound, ContainersOut []string
	}{Role: h.Role}
	for _, row := range matrix {
		for _, endpoint := range []stacks.Role{row.From, row.To} {
			if len(h.addresses(endpoint)) == 0 && endpoint != Internet && endpoint != Operators {
				return "", fmt.Errorf("rules of a %s server: row %s to %s: no server of role %q", h.Role, row.From, row.To, endpoint)
			}
		}
		if row.To == h.Role || row.To == Fleet {
			view.Inbound = append(view.Inbound, h.inbound(row)...)
			if port := fmt.Sprintf("%s dport %d", row.Protocol, row.Port); row.NoGap && !slices.Contains(view.NoGap, port) {
				view.NoGap = append(view.NoGap, port)
			}
			if !row.HostOnly {
				view.Containers = append(view.Containers, h.fromContainers(row)...)
			}
		}
		if row.From == h.Role || row.From == Fleet {
			view.Outbound = append(view.Outbound, h.outbound(row)...)
			if !row.HostOnly {
				view.ContainersOut = append(view.ContainersOut, h.outbound(row)...)
			}
		}
	}
	var out strings.Builder
	if err := hostTemplate.Execute(&out, view); err != nil {
		return "", fmt.Errorf("render rules of a %s server: %w", h.Role, err)
	}
	return out.String(), nil
}

// addresses are a role's, or the whole fleet's.
func (h *Host) addresses(endpoint stacks.Role) []netip.Addr {
	list := h.Servers[endpoint]
	if endpoint == Fleet {
		for _, servers := range h.Servers {
			list = append(slices.Clone(list), servers...)
		}
	}
	list = slices.Clone(list)
	slices.SortFunc(list, netip.Addr.Compare)
	return slices.Compact(list)
}

// inbound admits a row's traffic from other machines. Between servers it is
// admitted at the private address alone, which the private interface alone has.
func (h *Host) inbound(row Row) []string {
	switch row.From {
	case Internet:
		return []string{rule(row, "", "")}
	case Operators:
		var rules []string
		for _, family := range families(h.Operators) {
			rules = append(rules, rule(row, family.name, family.name+" saddr "+set(family.prefixes)))
		}
		return rules
	default:
		return []string{rule(row, "ip", "ip saddr "+set(h.addresses(row.From))+" ip daddr "+h.Private.String())}
	}
}

// fromContainers admits what a container of this server dials at the server's
// own addresses: what a server of its role may dial there.
func (h *Host) fromContainers(row Row) []string {
	switch row.From {
	case Internet:
		return []string{rule(row, "", "")}
	case h.Role, Fleet:
		return []string{rule(row, "ip", "ip daddr "+h.Private.String())}
	default:
		return nil
	}
}

// outbound admits what the server dials, and its containers unless the row is the
// host's own.
func (h *Host) outbound(row Row) []string {
	if row.To == Internet {
		return []string{rule(row, "", "")}
	}
	return []string{rule(row, "ip", "ip daddr "+set(h.addresses(row.To)))}
}

// rule is one line: what selects the peers, the row's port, accept. family is
// ip, ip6, or empty for both.
func rule(row Row, family, peers string) string {
	var words []string
	if peers != "" {
		words = append(words, peers)
	}
	switch {
	case row.Protocol == cloud.ICMP:
		icmp := map[string]string{"ip": "icmp", "ip6": "ipv6-icmp", "": "{ icmp, ipv6-icmp }"}
		words = append(words, "meta l4proto "+icmp[family])
	case row.Port == 0:
		words = append(words, "meta l4proto "+string(row.Protocol))
	default:
		words = append(words, fmt.Sprintf("%s dport %d", row.Protocol, row.Port))
	}
	return strings.Join(append(words, "counter accept", comment(row)), " ")
}

// maxComment is the kernel's bound of a rule's comment, its final zero apart.
const maxComment = 127

// comment tells a row's reason where the ruleset is listed. Reasons are the
// catalogue's words; whatever could end the quotation is replaced all the same.
func comment(row Row) string {
	text := strings.Map(func(r rune) rune {
		if r >= ' ' && r <= '~' && r != '"' && r != '\\' {
			return r
		}
		return '_'
	}, fmt.Sprintf("%s to %s: %s", row.From, row.To, row.Why))
	return `comment "` + text[:min(len(text), maxComment)] + `"`
}
