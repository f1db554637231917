package e2e

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/e2e/packets"
	"github.com/construct-server/infra/firewall"
	"github.com/construct-server/infra/sim/host"
	"github.com/construct-server/infra/sim/rig"
	"github.com/construct-server/infra/stacks"
)

// controlPorts is how many ports are probed that no row names.
const controlPorts = 205

// TestPackets proves the matrix by packets. On hosts that listen on every
// probed port, it dials from outside, from every host and from a container on
// every host to every address of every host, and compares what got through
// with the matrix: with nothing that filters, with both layers, and with each
// alone.
func TestPackets(t *testing.T) {
	if testing.Short() {
		t.Skip("short: five servers take minutes to boot")
	}
	if err := rig.Engine(t.Context()); err != nil {
		t.Skipf("no Docker engine, so no container hosts: %v", err)
	}
	for _, cloud := range clouds {
		t.Run(string(cloud), func(t *testing.T) {
			sampled(t, cloud, config.Hetzner)
			p := startPackets(t, cloud)
			p.listen(t)
			p.addStranger(t)
			p.addSources(t)
			if t.Failed() {
				return
			}
			p.cloudLayer(t, false)
			p.hostLayer(t, false)
			p.dropUnroutable(t)
			t.Run("everything answers where nothing filters", func(t *testing.T) {
				p.compare(t, everything)
			})
			t.Run("the matrix, by both layers", func(t *testing.T) {
				p.cloudLayer(t, true)
				p.hostLayer(t, true)
				p.compare(t, byMatrix(p.rows))
			})
			t.Run("the matrix, by the hosts alone", func(t *testing.T) {
				p.cloudLayer(t, false)
				p.compare(t, byMatrix(p.rows))
			})
			t.Run("what the cloud alone guarantees", func(t *testing.T) {
				p.cloudLayer(t, true)
				p.hostLayer(t, false)
				p.compare(t, byCloud(cloud, p.rows))
				p.hostLayer(t, true)
			})
			t.Run("ping, inside the fleet", p.ping)
			t.Run("metadata is root's", p.metadata)
			t.Run("a container asks the host's resolver", p.resolver)
			t.Run("a second up changes nothing", p.unchanged)
			t.Run("another operator changes the gateway's rules alone", p.operators)
			t.Run("the rules outlive Docker's restart", p.dockerRestart)
			t.Run("the rules outlive a reboot", p.reboot)
			t.Run("rules that lock everybody out are undone", p.lockout)
		})
	}
}

// probedPorts are those of the matrix, those that services listen on unseen,
// and the same controlPorts others every time.
func probedPorts(rows []firewall.Row) []int {
	ports := []int{53, 3000, 3333, 8080, 9090, 9092, 9093, 9115, 27017}
	for _, row := range rows {
		if row.Port != 0 {
			ports = append(ports, row.Port)
		}
	}
	slices.Sort(ports)
	ports = slices.Compact(ports)
	// Below the ports from which hosts dial; 68 is the DHCP client's.
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same every time
	for want := len(ports) + controlPorts; len(ports) < want; {
		if port := 1 + random.IntN(32000); port != 68 && !slices.Contains(ports, port) {
			ports = append(ports, port)
		}
	}
	return ports
}

// addStranger starts a machine outside the fleet that listens on every port.
func (p *packetLab) addStranger(t *testing.T) {
	t.Helper()
	address, err := p.clouds.NextPublic()
	require.NoError(t, err)
	name, gateway := "csim-"+packetInstance+"-stranger", p.hosts[stacks.Gateway]
	image := strings.TrimSpace(run(t, nil, "docker", "inspect", "--format", "{{.Config.Image}}", gateway))
	run(t, nil, "docker", "run", "--detach", "--init", "--name", name, "--label", "construct.sim=1", "--label", "construct.sim.instance="+packetInstance,
		"--network", "csim-"+packetInstance+"-internet", "--ip", address.String(), "--entrypoint", "sleep", image, "infinity")
	run(t, nil, "sh", "-ec", "docker cp -q "+gateway+":/opt/prober - | docker cp -q - "+name+":/opt/")
	run(t, nil, "docker", "exec", "--detach", name, "/opt/prober", "serve",
		toJSON(t, packets.Listen{Name: "stranger", Addresses: []string{address.String()}, TCP: p.ports, UDP: p.ports}))
	p.targets = append(p.targets, target{"", address, false})
	p.sources = append(p.sources,
		&source{name: "an operator", operator: true, run: func(try packets.Try) packets.Report { return packets.Run(t.Context(), try) }},
		&source{name: "a stranger", run: p.prober(t, name, "/opt/prober", "probe")})
}

func (p *packetLab) addSources(t *testing.T) {
	t.Helper()
	for _, role := range stacks.Roles(true) {
		host := p.hosts[role]
		p.sources = append(p.sources,
			&source{name: "host " + string(role), role: role, run: p.prober(t, host, "/opt/prober", "probe")},
			&source{name: "a container on " + string(role), role: role, container: true,
				run: p.prober(t, host, "docker", "exec", "--interactive", "listener", "/prober", "probe")})
	}
}

// reachable are the targets that a source has a way to. A host's own addresses
// are its loopback, which nothing filters.
func (p *packetLab) reachable(s *source) []target {
	return slices.DeleteFunc(slices.Clone(p.targets), func(to target) bool {
		switch {
		case s.role == "":
			return to.role == "" || to.private || to.address.Is6() && !s.operator
		case s.container:
			return to.address.Is6() // containers have no IPv6
		default:
			return to.role == s.role || slices.Contains(p.unroutable[s.name], to.address)
		}
	})
}

// dropUnroutable finds, where nothing filters, the IPv6 addresses that a host
// has no way to: the simulator leads IPv6 from outside to hosts, and between
// hosts only where they share a link.
func (p *packetLab) dropUnroutable(t *testing.T) {
	t.Helper()
	p.unroutable = map[string][]netip.Addr{}
	for _, s := range p.sources {
		try := packets.Try{TCP: p.ports[len(p.ports)-1:], Wait: 2 * time.Second, AtOnce: 10}
		for _, to := range p.reachable(s) {
			if to.address.Is6() && s.role != "" {
				try.Addresses = append(try.Addresses, to.address)
			}
		}
		if len(try.Addresses) == 0 {
			continue
		}
		for _, a := range s.run(try).Answers {
			try.Addresses = slices.DeleteFunc(try.Addresses, func(found netip.Addr) bool { return found == a.Address })
		}
		p.unroutable[s.name] = try.Addresses
		t.Logf("%s has no way to %d IPv6 addresses", s.name, len(try.Addresses))
	}
}

// cloudLayer switches the clouds' firewalls on or off, behind the cloud's back.
func (p *packetLab) cloudLayer(t *testing.T, on bool) {
	t.Helper()
	p.clouds.mu.Lock()
	defer p.clouds.mu.Unlock()
	for _, h := range p.Sim.Control.Hosts() {
		var f *host.Firewall
		if on {
			f = p.clouds.set[h.ID]
			require.NotNil(t, f, h.Name)
		}
		require.NoError(t, p.clouds.Backend.SetFirewall(context.WithoutCancel(t.Context()), h.ID, f))
	}
}

// hostLayer switches the hosts' own rulesets on or off.
func (p *packetLab) hostLayer(t *testing.T, on bool) {
	t.Helper()
	verb := "stop"
	if on {
		verb = "start"
	}
	for _, host := range p.hosts {
		run(t, nil, "docker", "exec", host, "systemctl", verb, "construct-firewall.service")
	}
}
