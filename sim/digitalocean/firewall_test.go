package digitalocean_test

import (
	"net/netip"
	"strconv"
	"testing"

	"github.com/construct-server/infra/sim/host"
	"github.com/digitalocean/godo"
	"github.com/stretchr/testify/require"
)

var everywhere = []string{"0.0.0.0/0", "::/0"}

func inbound(ports string, s godo.Sources) godo.InboundRule {
	return godo.InboundRule{Protocol: "tcp", PortRange: ports, Sources: &s}
}

// TestFirewallFollowsTags: what a host lets pass is resolved from tags anew on
// every change, on public and private addresses.
func TestFirewallFollowsTags(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	for _, tag := range []string{"app", "db"} {
		_, _, err := a.Tags.Create(a.ctx(), &godo.TagCreateRequest{Name: tag})
		require.NoError(t, err)
	}
	fw, _, err := a.Firewalls.Create(a.ctx(), &godo.FirewallRequest{
		Name: "db", Tags: []string{"db"},
		InboundRules:  []godo.InboundRule{inbound("5432", godo.Sources{Tags: []string{"app"}})},
		OutboundRules: []godo.OutboundRule{{Protocol: "udp", PortRange: "all", Destinations: &godo.Destinations{Addresses: everywhere}}},
	})
	require.NoError(t, err)
	require.Equal(t, "0", fw.OutboundRules[0].PortRange, "the API shows all ports as 0")

	a.droplet(godo.DropletCreateRequest{Name: "db-1", Tags: []string{"db"}})
	h, _ := a.backend.Host("db-1")
	require.Equal(t, &host.Firewall{
		FilterInbound: true, FilterOutbound: true, FilterPrivate: true,
		Inbound:  []host.Rule{{Protocol: "tcp", PortFrom: 5432, PortTo: 5432, Peers: []netip.Prefix{}}},
		Outbound: []host.Rule{{Protocol: "udp", Peers: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}}},
	}, h.Spec.Firewall, "in effect before the first packet")

	app := a.droplet(godo.DropletCreateRequest{Name: "app-1", Tags: []string{"app"}})
	public, err := app.PublicIPv4()
	require.NoError(t, err)
	private, err := app.PrivateIPv4()
	require.NoError(t, err)
	peers := func() []netip.Prefix {
		h, _ := a.backend.Host("db-1")
		return h.Firewall.Inbound[0].Peers
	}
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix(public + "/32"), netip.MustParsePrefix(private + "/32")}, peers())
	h, _ = a.backend.Host("app-1")
	require.Nil(t, h.Firewall, "no firewall covers it")

	res := []godo.Resource{{ID: strconv.Itoa(app.ID), Type: godo.DropletResourceType}}
	_, err = a.Tags.UntagResources(a.ctx(), "app", &godo.UntagResourcesRequest{Resources: res})
	require.NoError(t, err)
	require.Empty(t, peers())
	_, err = a.Tags.TagResources(a.ctx(), "app", &godo.TagResourcesRequest{Resources: res})
	require.NoError(t, err)
	require.Len(t, peers(), 2)
	_, err = a.Droplets.Delete(a.ctx(), app.ID)
	require.NoError(t, err)
	require.Empty(t, peers())

	_, err = a.Firewalls.Delete(a.ctx(), fw.ID)
	require.NoError(t, err)
	h, _ = a.backend.Host("db-1")
	require.Nil(t, h.Firewall)
}

func TestFirewallRoutes(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	d := a.droplet(godo.DropletCreateRequest{Name: "one", Tags: []string{"red"}})
	rule := inbound("22", godo.Sources{Addresses: []string{"192.0.2.1"}})
	fw, _, err := a.Firewalls.Create(a.ctx(), &godo.FirewallRequest{Name: "f", InboundRules: []godo.InboundRule{rule}})
	require.NoError(t, err)
	_, err = a.Firewalls.AddDroplets(a.ctx(), fw.ID, d.ID)
	require.NoError(t, err)
	list, _, err := a.Firewalls.ListByDroplet(a.ctx(), d.ID, nil)
	require.NoError(t, err)
	require.Len(t, list, 1)
	_, err = a.Firewalls.RemoveDroplets(a.ctx(), fw.ID, d.ID)
	require.NoError(t, err)
	_, err = a.Firewalls.AddTags(a.ctx(), fw.ID, "red")
	require.NoError(t, err)
	_, err = a.Firewalls.AddRules(a.ctx(), fw.ID, &godo.FirewallRulesRequest{InboundRules: []godo.InboundRule{inbound("80-81", godo.Sources{DropletIDs: []int{d.ID}})}})
	require.NoError(t, err)
	_, err = a.Firewalls.RemoveRules(a.ctx(), fw.ID, &godo.FirewallRulesRequest{InboundRules: []godo.InboundRule{rule}})
	require.NoError(t, err)
	got, _, err := a.Firewalls.Get(a.ctx(), fw.ID)
	require.NoError(t, err)
	require.Equal(t, []string{"red"}, got.Tags)
	require.Empty(t, got.DropletIDs)
	require.Equal(t, []godo.InboundRule{inbound("80-81", godo.Sources{DropletIDs: []int{d.ID}})}, got.InboundRules)
	_, err = a.Firewalls.RemoveTags(a.ctx(), fw.ID, "red")
	require.NoError(t, err)
	got, _, err = a.Firewalls.Update(a.ctx(), fw.ID, &godo.FirewallRequest{Name: "g", InboundRules: []godo.InboundRule{rule}})
	require.NoError(t, err)
	require.Equal(t, "g", got.Name)
	all, _, err := a.Firewalls.List(a.ctx(), nil)
	require.NoError(t, err)
	require.Len(t, all, 1)
}

func TestFirewallLimits(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	var tags []string
	for i := range 6 {
		tags = append(tags, "t"+strconv.Itoa(i))
		_, _, err := a.Tags.Create(a.ctx(), &godo.TagCreateRequest{Name: tags[i]})
		require.NoError(t, err)
	}
	rule := inbound("22", godo.Sources{Addresses: everywhere})
	many := make([]godo.InboundRule, 51)
	for i := range many {
		many[i] = rule
	}
	for name, c := range map[string]struct {
		req     godo.FirewallRequest
		status  int
		message string
	}{
		"51 rules":        {godo.FirewallRequest{Name: "f", InboundRules: many}, 422, "at most 50 rules"},
		"6 tags":          {godo.FirewallRequest{Name: "f", InboundRules: many[:1], Tags: tags}, 422, "at most 5 tags"},
		"no rule":         {godo.FirewallRequest{Name: "f"}, 422, "at least one rule"},
		"unknown tag":     {godo.FirewallRequest{Name: "f", InboundRules: many[:1], Tags: []string{"nope"}}, 422, `"nope" does not exist`},
		"unknown droplet": {godo.FirewallRequest{Name: "f", InboundRules: many[:1], DropletIDs: []int{7}}, 422, "droplet 7"},
		"bad ports":       {godo.FirewallRequest{Name: "f", InboundRules: []godo.InboundRule{inbound("9-1", *rule.Sources)}}, 422, "ports"},
		"bad address":     {godo.FirewallRequest{Name: "f", InboundRules: []godo.InboundRule{inbound("1", godo.Sources{Addresses: []string{"x"}})}}, 422, "address"},
		"no source":       {godo.FirewallRequest{Name: "f", InboundRules: []godo.InboundRule{inbound("1", godo.Sources{})}}, 422, "no sources"},
		"load balancer":   {godo.FirewallRequest{Name: "f", InboundRules: []godo.InboundRule{inbound("1", godo.Sources{LoadBalancerUIDs: []string{"x"}})}}, 422, "not modelled"},
	} {
		_, _, err := a.Firewalls.Create(a.ctx(), &c.req)
		t.Run(name, func(t *testing.T) { refused(t, err, c.status, c.message) })
	}
	_, _, err := a.Firewalls.Create(a.ctx(), &godo.FirewallRequest{Name: "f", InboundRules: many[:50], Tags: tags[:5]})
	require.NoError(t, err)
	_, _, err = a.Firewalls.Create(a.ctx(), &godo.FirewallRequest{Name: "f", InboundRules: many[:1]})
	refused(t, err, 409, "duplicate name")
}
