package container

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/construct-server/infra/sim/host"
)

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

func TestRender(t *testing.T) {
	t.Parallel()
	db := newFilter(host.Spec{
		PublicIPv4: netip.MustParseAddr("203.0.113.12"), PublicIPv6: netip.MustParseAddr("2001:db8::12"),
		NetworkID: "net-1", PrivateIPv4: netip.MustParseAddr("10.10.0.4"),
		Firewall: &host.Firewall{
			FilterInbound: true, FilterOutbound: true, FilterPrivate: true,
			Inbound: []host.Rule{
				{Protocol: "tcp", PortFrom: 5432, PortTo: 5432, Peers: prefixes("10.10.0.2/32", "10.10.0.3/32")},
				{Protocol: "icmp", Peers: prefixes("10.10.0.0/24", "::/0")},
			},
			Outbound: []host.Rule{{Protocol: "udp", Peers: prefixes("0.0.0.0/0")}},
		},
	})
	db.extra = []netip.Addr{netip.MustParseAddr("203.0.113.99")}
	hetzner := newFilter(host.Spec{
		PublicIPv4: netip.MustParseAddr("203.0.113.13"), NetworkID: "net-1", PrivateIPv4: netip.MustParseAddr("10.10.0.5"),
		Firewall: &host.Firewall{FilterInbound: true},
	})
	hetzner.refuse = true
	r := ruleset{table: "csim_sim", bridge: "csim0", prefix: netip.MustParsePrefix("203.0.113.0/24"), sshPorts: []int{22, 2222}}
	got := r.render([]*filter{&db, &hetzner})

	const want = `table inet csim_sim
delete table inet csim_sim
table inet csim_sim {
	chain in_0 {
		ip saddr 10.10.0.2/32 tcp dport 5432-5432 return
		ip saddr 10.10.0.3/32 tcp dport 5432-5432 return
		ip saddr 10.10.0.0/24 ip protocol icmp return
		ip6 saddr ::/0 meta l4proto ipv6-icmp return
		drop
	}
	chain out_0 {
		ip daddr 0.0.0.0/0 meta l4proto udp return
		drop
	}
	chain in_1 {
		drop
	}
	chain refuse {
		ip daddr 10.10.0.5 tcp dport 22 reject with tcp reset
		ip daddr 10.10.0.5 tcp dport 2222 reject with tcp reset
		ip daddr 203.0.113.13 tcp dport 22 reject with tcp reset
		ip daddr 203.0.113.13 tcp dport 2222 reject with tcp reset
	}
	chain inbound {
		ip daddr 10.10.0.4 jump in_0
		ip daddr 203.0.113.12 jump in_0
		ip daddr 203.0.113.99 jump in_0
		ip6 daddr 2001:db8::12 jump in_0
		ip daddr 203.0.113.13 jump in_1
	}
	chain outbound {
		ip saddr 10.10.0.4 jump out_0
		ip saddr 203.0.113.12 jump out_0
		ip saddr 203.0.113.99 jump out_0
		ip6 saddr 2001:db8::12 jump out_0
	}
`
	if !strings.HasPrefix(got, want) {
		t.Errorf("rendered\n%s\nwant it to begin with\n%s", got, want)
	}
}

func TestParseJournal(t *testing.T) {
	t.Parallel()
	got := parseJournal(`{"__REALTIME_TIMESTAMP":"1700000000000000","_PID":"7","MESSAGE":"Server listening on 0.0.0.0 port 22."}
{"__REALTIME_TIMESTAMP":"1700000001000000","_PID":"9","MESSAGE":"Starting session: command for construct from 203.0.113.1 port 38884 id 0"}
{"__REALTIME_TIMESTAMP":"1700000001200000","_PID":"11","MESSAGE":"Starting session: shell on pts/0 for root from 203.0.113.1 port 1 id 0"}
{"__REALTIME_TIMESTAMP":"1700000001300000","_PID":"12","MESSAGE":[27,91]}
{"__REALTIME_TIMESTAMP":"1700000001500000","_PID":"9","MESSAGE":"Received disconnect from 203.0.113.1 port 38884:11: disconnected by user"}
{"__REALTIME_TIMESTAMP":"1700000001600000","_PID":"9","MESSAGE":"Disconnected from user construct 203.0.113.1 port 38884"}
{"__REALTIME_TIMESTAMP":"1700000002000000","_PID":"13","MESSAGE":"Starting session: command for root from 203.0.113.1 port 3 id 0"}
`)
	if len(got) != 2 {
		t.Fatalf("found %+v, want two commands", got)
	}
	if got[0].User != "construct" || got[0].Elapsed.Milliseconds() != 500 || got[0].Time.Unix() != 1700000001 {
		t.Errorf("the first command is %+v", got[0])
	}
	if got[1].User != "root" || got[1].Elapsed != 0 {
		t.Errorf("the running command is %+v", got[1])
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts Options
		want string
	}{
		"no image":              {Options{}, "Image"},
		"instance":              {Options{Image: "x", Instance: "My Sim"}, "Instance"},
		"IPv6 range":            {Options{Image: "x", Prefix: netip.MustParsePrefix("2001:db8::/64")}, "Prefix"},
		"registry without a CA": {Options{Image: "x", RegistryAddr: "203.0.113.1:5000"}, "RegistryCA"},
	} {
		if err := c.opts.complete(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error about %s", name, err, c.want)
		}
	}
}
