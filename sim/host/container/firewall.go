package container

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/construct-server/infra/sim/host"
)

// filter is what the machine's firewall must know about a host.
type filter struct {
	public  []netip.Addr
	extra   []netip.Addr
	private map[string]netip.Addr // by network
	rules   *host.Firewall
	refuse  bool
}

func newFilter(s host.Spec) filter {
	f := filter{private: map[string]netip.Addr{}, rules: s.Firewall}
	for _, addr := range []netip.Addr{s.PublicIPv4, s.PublicIPv6} {
		if addr.IsValid() {
			f.public = append(f.public, addr)
		}
	}
	if s.NetworkID != "" {
		f.private[s.NetworkID] = s.PrivateIPv4
	}
	return f
}

// addresses are those at which a host can be reached, the private ones or not.
func (f *filter) addresses(private bool) []netip.Addr {
	all := slices.Concat(f.public, f.extra)
	if private {
		all = append(all, slices.Collect(maps.Values(f.private))...)
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return all
}

// SetFirewall replaces a host's cloud firewall. Established connections stay.
func (b *Backend) SetFirewall(ctx context.Context, hostID string, f *host.Firewall) error {
	return b.change(hostID, "set firewall of", func(m *machine) error {
		b.setFilter(m, func(own *filter) { own.rules = f })
		return b.applyFirewalls(ctx)
	})
}

// RefuseSSH answers new connections to a host's SSH port with a reset.
func (b *Backend) RefuseSSH(ctx context.Context, hostID string, refuse bool) error {
	return b.change(hostID, "refuse SSH on", func(m *machine) error {
		b.setFilter(m, func(f *filter) { f.refuse = refuse })
		return b.applyFirewalls(ctx)
	})
}

func (b *Backend) setFilter(m *machine, f func(*filter)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(&m.filter)
}

// applyFirewalls loads the ruleset of all hosts, in one transaction.
func (b *Backend) applyFirewalls(ctx context.Context) error {
	b.nft.Lock()
	defer b.nft.Unlock()
	b.mu.Lock()
	filters := make([]*filter, 0, len(b.machines))
	for _, id := range slices.Sorted(maps.Keys(b.machines)) {
		filters = append(filters, &b.machines[id].filter)
	}
	r := ruleset{table: b.helper.table(), bridge: b.publicBridge(), prefix: b.opts.Prefix, sshPorts: []int{22}}
	if b.opts.SSHPort != 0 && b.opts.SSHPort != 22 {
		r.sshPorts = append(r.sshPorts, b.opts.SSHPort)
	}
	rules := r.render(filters)
	b.mu.Unlock()
	if err := b.helper.loadRules(ctx, rules); err != nil {
		return fmt.Errorf("load the cloud's firewall: %w", err)
	}
	return nil
}

// ruleset renders the machine's nftables table. A packet between two hosts
// passes forward once, as bridged; one to a host from the machine itself passes
// output, one back passes input.
type ruleset struct {
	table    string
	bridge   string
	prefix   netip.Prefix
	sshPorts []int
}

// hooks precede Docker's own chains (priority 0), whose verdicts still apply.
const hooks = `
	chain forward {
		type filter hook forward priority -20; policy accept
		ct state established,related accept
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert } accept
		iifname "%[1]s" ip daddr != %[2]s reject with icmp type net-unreachable
		jump refuse
		jump outbound
		jump inbound
	}
	chain output {
		type filter hook output priority -20; policy accept
		ct state established,related accept
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert } accept
		jump refuse
		jump inbound
	}
	chain input {
		type filter hook input priority -20; policy accept
		ct state established,related accept
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert } accept
		jump outbound
	}
}
`

func (r ruleset) render(filters []*filter) string {
	var hosts, refuse, inbound, outbound strings.Builder
	for n, f := range filters {
		if f.refuse {
			for _, addr := range f.addresses(true) {
				for _, port := range r.sshPorts {
					fmt.Fprintf(&refuse, "\t\t%s daddr %s tcp dport %d reject with tcp reset\n", family(addr), addr, port)
				}
			}
		}
		if f.rules == nil {
			continue
		}
		if f.rules.FilterInbound {
			admit(&hosts, fmt.Sprintf("in_%d", n), "saddr", f.rules.Inbound)
			dispatch(&inbound, fmt.Sprintf("in_%d", n), "daddr", f)
		}
		if f.rules.FilterOutbound {
			admit(&hosts, fmt.Sprintf("out_%d", n), "daddr", f.rules.Outbound)
			dispatch(&outbound, fmt.Sprintf("out_%d", n), "saddr", f)
		}
	}
	var out strings.Builder
	// The first line makes the second valid when there is no table yet.
	fmt.Fprintf(&out, "table inet %[1]s\ndelete table inet %[1]s\ntable inet %[1]s {\n", r.table)
	out.WriteString(hosts.String())
	fmt.Fprintf(&out, "\tchain refuse {\n%s\t}\n\tchain inbound {\n%s\t}\n\tchain outbound {\n%s\t}", &refuse, &inbound, &outbound)
	fmt.Fprintf(&out, hooks, r.bridge, r.prefix)
	return out.String()
}

// dispatch sends a host's packets to its chain.
func dispatch(out *strings.Builder, chain, side string, f *filter) {
	for _, addr := range f.addresses(f.rules.FilterPrivate) {
		fmt.Fprintf(out, "\t\t%s %s %s jump %s\n", family(addr), side, addr, chain)
	}
}

// admit writes a chain that returns for what the rules admit and drops the rest.
func admit(out *strings.Builder, chain, side string, rules []host.Rule) {
	fmt.Fprintf(out, "\tchain %s {\n", chain)
	for _, rule := range rules {
		for _, peer := range rule.Peers {
			fmt.Fprintf(out, "\t\t%s %s %s%s return\n", family(peer.Addr()), side, peer.Masked(), match(rule, peer.Addr()))
		}
	}
	out.WriteString("\t\tdrop\n\t}\n")
}

func match(rule host.Rule, peer netip.Addr) string {
	switch {
	case rule.Protocol == "icmp" && peer.Is6():
		return " meta l4proto ipv6-icmp"
	case rule.Protocol == "icmp":
		return " ip protocol icmp"
	case rule.PortFrom == 0 && rule.PortTo == 0:
		return " meta l4proto " + rule.Protocol
	}
	return fmt.Sprintf(" %s dport %d-%d", rule.Protocol, rule.PortFrom, max(rule.PortFrom, rule.PortTo))
}

func family(addr netip.Addr) string {
	if addr.Is6() {
		return "ip6"
	}
	return "ip"
}
