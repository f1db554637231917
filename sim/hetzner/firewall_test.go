package hetzner_test

import (
	"net"
	"net/netip"
	"strconv"
	"testing"

	"github.com/construct-server/infra/sim/host"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
	"github.com/stretchr/testify/require"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func sshRule(t *testing.T) hcloud.FirewallRule {
	t.Helper()
	return hcloud.FirewallRule{Direction: hcloud.FirewallRuleDirectionIn, Protocol: hcloud.FirewallRuleProtocolTCP,
		Port: hcloud.Ptr("22"), SourceIPs: []net.IPNet{*cidr(t, "192.0.2.0/24")}, Description: hcloud.Ptr("operators")}
}

// TestFirewall: inbound denies by default, outbound only once a rule is
// outbound, and private traffic is never filtered.
func TestFirewall(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	s := p.server(serverOpts("one"))
	firewall := func() *host.Firewall { h, _ := p.backend.Host("one"); return h.Firewall }
	require.Nil(t, firewall())
	on := []hcloud.FirewallResource{{Type: hcloud.FirewallResourceTypeServer, Server: &hcloud.FirewallResourceServer{ID: s.ID}}}
	res, _, err := p.Firewall.Create(p.ctx(), hcloud.FirewallCreateOpts{Name: "f", Rules: []hcloud.FirewallRule{sshRule(t)}})
	require.NoError(t, err)
	acts, _, err := p.Firewall.ApplyResources(p.ctx(), res.Firewall, on)
	require.NoError(t, err)
	p.done(acts...)
	inbound := []host.Rule{{Protocol: "tcp", PortFrom: 22, PortTo: 22, Peers: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}}
	require.Equal(t, &host.Firewall{FilterInbound: true, Inbound: inbound}, firewall())
	_, _, err = p.Firewall.ApplyResources(p.ctx(), res.Firewall, on)
	refused(t, err, hcloud.ErrorCodeFirewallAlreadyApplied, "already applied")

	out := hcloud.FirewallRule{Direction: hcloud.FirewallRuleDirectionOut, Protocol: hcloud.FirewallRuleProtocolUDP,
		Port: hcloud.Ptr("any"), DestinationIPs: []net.IPNet{*cidr(t, "::/0")}}
	acts, _, err = p.Firewall.SetRules(p.ctx(), res.Firewall, hcloud.FirewallSetRulesOpts{Rules: []hcloud.FirewallRule{sshRule(t), out}})
	require.NoError(t, err)
	p.done(acts...)
	require.Equal(t, &host.Firewall{
		FilterInbound: true, Inbound: inbound, FilterOutbound: true,
		Outbound: []host.Rule{{Protocol: "udp", Peers: []netip.Prefix{netip.MustParsePrefix("::/0")}}},
	}, firewall())
	got, _, err := p.Firewall.GetByID(p.ctx(), res.Firewall.ID)
	require.NoError(t, err)
	require.Equal(t, "operators", *got.Rules[0].Description)

	acts, _, err = p.Firewall.RemoveResources(p.ctx(), res.Firewall, on)
	require.NoError(t, err)
	p.done(acts...)
	require.Nil(t, firewall())
	_, _, err = p.Firewall.RemoveResources(p.ctx(), res.Firewall, on)
	refused(t, err, hcloud.ErrorCodeFirewallAlreadyRemoved, "not applied")

	by := []hcloud.FirewallResource{{Type: hcloud.FirewallResourceTypeLabelSelector, LabelSelector: &hcloud.FirewallResourceLabelSelector{Selector: "stack=prod"}}}
	_, _, err = p.Firewall.ApplyResources(p.ctx(), res.Firewall, by)
	require.NoError(t, err)
	require.Nil(t, firewall())
	_, _, err = p.Server.Update(p.ctx(), s, hcloud.ServerUpdateOpts{Labels: labels})
	require.NoError(t, err)
	require.NotNil(t, firewall(), "a label selector covers it now")
	_, _, err = p.Firewall.Update(p.ctx(), res.Firewall, hcloud.FirewallUpdateOpts{Name: "g", Labels: labels})
	require.NoError(t, err)
}

func TestFirewallMistakes(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	good := sshRule(t)
	wide := net.IPNet{IP: net.ParseIP("10.0.0.1").To4(), Mask: net.CIDRMask(24, 32)}
	for name, change := range map[string]func(*hcloud.FirewallRule){
		"host bits": func(r *hcloud.FirewallRule) { r.SourceIPs = []net.IPNet{wide} },
		"no port":   func(r *hcloud.FirewallRule) { r.Port = nil },
		"port 0":    func(r *hcloud.FirewallRule) { r.Port = hcloud.Ptr("0") },
		"direction": func(r *hcloud.FirewallRule) { r.Direction = hcloud.FirewallRuleDirectionOut },
		"protocol":  func(r *hcloud.FirewallRule) { r.Protocol = hcloud.FirewallRuleProtocolGRE; r.Port = nil },
		"icmp port": func(r *hcloud.FirewallRule) { r.Protocol = hcloud.FirewallRuleProtocolICMP },
	} {
		r := good
		change(&r)
		_, _, err := p.Firewall.Create(p.ctx(), hcloud.FirewallCreateOpts{Name: "f", Rules: []hcloud.FirewallRule{r}})
		t.Run(name, func(t *testing.T) { refused(t, err, hcloud.ErrorCodeInvalidInput, "rules.0") })
	}
	many := make([]hcloud.FirewallRule, 51)
	for i := range many {
		many[i] = good
	}
	_, _, err := p.Firewall.Create(p.ctx(), hcloud.FirewallCreateOpts{Name: "f", Rules: many})
	refused(t, err, hcloud.ErrorCodeInvalidInput, "at most 50 rules")
}
