package e2e

import (
	"fmt"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/e2e/packets"
	"github.com/construct-server/infra/stacks"
)

// inHost runs a command as root on a role's host.
func (p *packetLab) inHost(t *testing.T, role stacks.Role, script string) string {
	t.Helper()
	return run(t, nil, "docker", "exec", p.hosts[role], "sh", "-ec", script)
}

// table is a host's ruleset as the kernel has it, without what it has counted.
func (p *packetLab) table(t *testing.T, role stacks.Role) string {
	t.Helper()
	rules := p.inHost(t, role, "nft --stateless list table inet construct")
	require.Contains(t, rules, "chain from_outside", "%s", role)
	return rules
}

// answers tells whether the database's published port answers an app host, and
// one that no row names does not.
func (p *packetLab) answers(t *testing.T) {
	t.Helper()
	db := netip.MustParseAddr(p.servers["db"].PrivateIP)
	var report packets.Report
	for deadline := time.Now().Add(30 * time.Second); len(report.Answers) == 0 && time.Now().Before(deadline); {
		report = p.prober(t, p.hosts[stacks.App], "/opt/prober", "probe")(packets.Try{
			Addresses: []netip.Addr{db}, TCP: []int{5432, 27017}, Wait: time.Second, AtOnce: 2,
		})
	}
	assert.Equal(t, []packets.Answer{{Probe: packets.Probe{Address: db, Protocol: "tcp", Port: 5432}, By: "db-container"}}, report.Answers)
}

// ping is answered at private addresses, and to nobody outside.
func (p *packetLab) ping(t *testing.T) {
	db, stranger := p.servers["db"], "csim-"+packetInstance+"-stranger"
	answered := func(from, address string) bool {
		return exec.CommandContext(t.Context(), "docker", "exec", from, "ping", "-q", "-c", "2", "-i", "0.2", "-W", "1", address).Run() == nil
	}
	assert.True(t, answered(p.hosts[stacks.App], db.PrivateIP), "a host at the private address")
	assert.False(t, answered(p.hosts[stacks.App], db.PublicIP), "a host at the public address")
	assert.False(t, answered(stranger, db.PublicIP), "a stranger")
	assert.True(t, answered(p.hosts[stacks.DB], "198.18.50.1"), "the way out")
}

// metadata has a metadata service beside the database's host, at its address,
// and asks it as whom it should and should not answer.
func (p *packetLab) metadata(t *testing.T) {
	p.inHost(t, stacks.DB, `
		ip netns add metadata
		ip link add metadata0 type veth peer name eth0 netns metadata
		ip address add 169.254.1.1/30 dev metadata0
		ip link set metadata0 up
		ip -n metadata address add 169.254.1.2/30 dev eth0
		ip -n metadata address add 169.254.169.254/32 dev eth0
		ip -n metadata link set eth0 up
		ip -n metadata route add default via 169.254.1.1
		ip route add 169.254.169.254 via 169.254.1.2
		systemd-run --quiet --unit=metadata ip netns exec metadata /opt/prober serve '{"Name":"metadata","Addresses":[""],"TCP":[80]}'`)
	try := packets.Try{Addresses: []netip.Addr{netip.MustParseAddr("169.254.169.254")}, TCP: []int{80}, Wait: time.Second, AtOnce: 1}
	host := p.hosts[stacks.DB]
	asked := map[string]func(packets.Try) packets.Report{
		"root":        p.prober(t, host, "/opt/prober", "probe"),
		"nobody":      p.prober(t, host, "setpriv", "--reuid=65534", "--clear-groups", "/opt/prober", "probe"),
		"a container": p.prober(t, host, "docker", "exec", "--interactive", "listener", "/prober", "probe"),
	}
	for _, filtered := range []bool{false, true} {
		p.hostLayer(t, filtered)
		for who, run := range asked {
			var answers []packets.Answer
			for deadline := time.Now().Add(10 * time.Second); ; {
				answers = run(try).Answers
				if filtered || len(answers) > 0 || time.Now().After(deadline) {
					break
				}
			}
			assert.Equal(t, !filtered || who == "root", len(answers) == 1, "%s asks, filtered %v", who, filtered)
		}
	}
}

// resolver has a container dial the host's resolver, the one thing that its
// own host serves to it, and sshd at the same address.
func (p *packetLab) resolver(t *testing.T) {
	address := netip.MustParseAddr("169.254.20.53")
	report := p.prober(t, p.hosts[stacks.App], "docker", "exec", "--interactive", "listener", "/prober", "probe")(packets.Try{
		Addresses: []netip.Addr{address}, TCP: []int{53, 22}, Wait: time.Second, AtOnce: 2,
	})
	assert.Equal(t, []packets.Answer{{Probe: packets.Probe{Address: address, Protocol: "tcp", Port: 53}}}, report.Answers)
}

func (p *packetLab) unchanged(t *testing.T) {
	before := p.Sim.Control.Commands(t.Context()).Total
	assert.Equal(t, []string{"same"}, kinds(p.up(t)), "a second up changed something")
	assert.Equal(t, before, p.Sim.Control.Commands(t.Context()).Total, "a second up ran SSH commands")
}

// operators lets a further operator in. It is the gateway's firewalls that
// change, and nothing restarts; no packet meets rules that are not whole.
func (p *packetLab) operators(t *testing.T) {
	started := func() string {
		return p.inHost(t, stacks.Gateway, "docker inspect --format '{{.State.StartedAt}}' listener; systemctl show --property=ActiveEnterTimestamp docker ssh")
	}
	tables, before, commands := map[stacks.Role]string{}, started(), p.Sim.Control.Commands(t.Context()).Hosts
	for role := range p.hosts {
		tables[role] = p.table(t, role)
	}
	p.allow(t, "198.18.50.1/32", "203.0.113.0/24")
	p.during(t, func() { p.up(t) })
	for role := range p.hosts {
		if role != stacks.Gateway {
			assert.Equal(t, tables[role], p.table(t, role), "%s", role)
			assert.Len(t, p.Sim.Control.Commands(t.Context()).Hosts[p.servers[string(role)].Name], len(commands[p.servers[string(role)].Name]), "%s was dialled", role)
		}
	}
	assert.Contains(t, p.table(t, stacks.Gateway), "203.0.113.0/24")
	assert.Equal(t, before, started(), "a change of rules restarted something")
}

func (p *packetLab) dockerRestart(t *testing.T) {
	before := p.table(t, stacks.DB)
	p.inHost(t, stacks.DB, "systemctl restart docker.service")
	assert.Equal(t, before, p.table(t, stacks.DB))
	p.answers(t)
}

func (p *packetLab) reboot(t *testing.T) {
	before := p.table(t, stacks.DB)
	for _, h := range p.Sim.Control.Hosts() {
		if h.Name == p.servers["db"].Name {
			require.NoError(t, p.clouds.Reboot(t.Context(), h.ID))
		}
	}
	p.await(t, "db")
	assert.Equal(t, before, p.table(t, stacks.DB))
	at := func(unit string) int {
		text := p.inHost(t, stacks.DB, "until systemctl --quiet is-active "+unit+"; do sleep 0.2; done; systemctl show --value --property=ActiveEnterTimestampMonotonic "+unit)
		n, err := strconv.Atoi(strings.TrimSpace(text))
		require.NoError(t, err, "%s: %q", unit, text)
		return n
	}
	assert.Positive(t, at("construct-firewall.service"))
	assert.Less(t, at("construct-firewall.service"), at("docker.service"), "Docker published ports before they were filtered")
	p.answers(t)
}

// await waits until a host takes SSH logins.
func (p *packetLab) await(t *testing.T, role string) {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(500 * time.Millisecond) {
		client, err := lab.Dial(t.Context(), p.target(role))
		if err == nil {
			require.NoError(t, client.Close())
			return
		}
		require.True(t, time.Now().Before(deadline), "%v", err)
	}
}

// lockout brings rules without a way in for SSH, as an operator or a program
// gone wrong would: they are tried, and undone. And once more with whoever
// tries them killed, when it is the timer that undoes.
func (p *packetLab) lockout(t *testing.T) {
	const bring = `sudo sh -c 'sed "/tcp dport 22 /d" /etc/construct/firewall.nft >/run/bad.nft
		! cmp -s /run/bad.nft /etc/construct/firewall.nft || exit 3
		{ echo; cat /run/bad.nft; } | %s construct-firewall apply $(sha256sum </run/bad.nft | cut -c 1-12) %s'`
	for _, role := range []string{"gateway", "db"} {
		before := p.table(t, stacks.Role(role))
		client, err := lab.Dial(t.Context(), p.target(role))
		require.NoError(t, err)
		start := time.Now()
		_, err = client.Run(t.Context(), fmt.Sprintf(bring, "", "--patience 3"))
		require.ErrorContains(t, err, "does not let in the connection that brought it", role)
		t.Logf("%s: undone after %.1f s, over the same connection", role, time.Since(start).Seconds())
		_ = client.Close()
		p.await(t, role)
		assert.Equal(t, before, p.table(t, stacks.Role(role)))

		client, err = lab.Dial(t.Context(), p.target(role))
		require.NoError(t, err)
		_, err = client.Run(t.Context(), fmt.Sprintf(bring, "timeout --signal=KILL 3", "--undo-after 6"))
		require.Error(t, err, role)
		_ = client.Close()
		p.await(t, role)
		assert.Equal(t, before, p.table(t, stacks.Role(role)))
	}
}
