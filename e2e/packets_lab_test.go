package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/e2e/packets"
	"github.com/construct-server/infra/firewall"
	"github.com/construct-server/infra/sim/host"
	"github.com/construct-server/infra/stacks"
)

// packetInstance, packetPrefix and packetNetwork keep these hosts apart from
// those of other tests.
const packetInstance = "packets"

var (
	packetPrefix  = netip.MustParsePrefix("198.18.50.0/24")
	packetNetwork = netip.MustParsePrefix("10.23.0.0/24")
)

// cloudFirewalls remembers what the cloud has set, so that it can be taken away
// and put back behind the cloud's back.
type cloudFirewalls struct {
	host.Backend
	mu  sync.Mutex
	set map[string]*host.Firewall
}

func (c *cloudFirewalls) Create(ctx context.Context, s host.Spec) error {
	c.remember(s.ID, s.Firewall)
	return c.Backend.Create(ctx, s)
}

func (c *cloudFirewalls) SetFirewall(ctx context.Context, id string, f *host.Firewall) error {
	c.remember(id, f)
	return c.Backend.SetFirewall(ctx, id, f)
}

func (c *cloudFirewalls) remember(id string, f *host.Firewall) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set[id] = f
}

// packetLab is a fleet with listeners instead of services.
type packetLab struct {
	*deployment
	cloud   config.Cloud
	clouds  *cloudFirewalls
	rows    []firewall.Row
	ports   []int
	hosts   map[stacks.Role]string // the container that is the role's host
	targets []target
	sources []*source
	// unroutable lists, by source, addresses to which there is no way at all.
	unroutable map[string][]netip.Addr
}

func startPackets(t *testing.T, cloud config.Cloud) *packetLab {
	t.Helper()
	clouds := &cloudFirewalls{set: map[string]*host.Firewall{}}
	l := startHosts(t, cloud, packetInstance, packetPrefix, func(b host.Backend) host.Backend {
		clouds.Backend = b
		return clouds
	})
	p := &packetLab{deployment: &deployment{Lab: l, servers: map[string]lab.Server{}}, cloud: cloud, clouds: clouds, hosts: map[stacks.Role]string{}}
	p.rows = firewall.Matrix(firewall.Options{
		Features: stacks.Features{Media: true}, SSHPort: 22,
		// What a domain brings: the simulator's certificate authority, and the probe
		// of the public name.
		Outward: []stacks.Flow{
			{From: stacks.Gateway, To: stacks.Internet, Protocol: "tcp", Port: 80, Why: "whether a certificate is revoked"},
			{From: stacks.Gateway, To: stacks.Internet, Protocol: "tcp", Port: 14000, Why: "certificates"},
			{From: stacks.Media, To: stacks.Internet, Protocol: "tcp", Port: 443, Why: "the public URL"},
		},
	})
	p.ports = probedPorts(p.rows)
	p.allow(t, "198.18.50.1/32")
	took, err := lab.Elapsed(func() error { p.up(t); return nil })
	require.NoError(t, err)
	t.Logf("hosts of %s are up: %.0f s", cloud, took.Seconds())
	p.find(t)
	return p
}

// allow configures who may dial SSH.
func (p *packetLab) allow(t *testing.T, cidrs ...string) {
	t.Helper()
	ssh := maps.Clone(p.Settings["construct:ssh"].(map[string]any))
	ssh["allowedCidrs"] = cidrs
	require.NoError(t, p.Configure(t.Context(), p.Settings.With("construct:ssh", ssh).
		With("construct:network", map[string]any{"cidr": packetNetwork.String()})))
}

// up runs the program, without its releases.
func (p *packetLab) up(t *testing.T) map[string]int {
	t.Helper()
	return hostsUp(t, p.Lab)
}

// find looks up the servers and their addresses.
func (p *packetLab) find(t *testing.T) {
	t.Helper()
	outputs, err := p.Stack.Outputs(t.Context())
	require.NoError(t, err)
	servers, err := lab.Servers(outputs)
	require.NoError(t, err)
	ids := map[string]string{}
	for _, h := range p.Sim.Control.Hosts() {
		ids[h.Name] = h.ID
	}
	for _, server := range servers {
		role := stacks.Role(server.Role)
		p.servers[server.Role] = server
		p.hosts[role] = "csim-" + packetInstance + "-" + ids[server.Name]
		for _, line := range strings.Split(run(t, nil, "docker", "exec", p.hosts[role], "ip", "-o", "address", "show", "scope", "global"), "\n") {
			fields := strings.Fields(line)
			if len(fields) < 4 || !strings.HasPrefix(fields[1], "eth") {
				continue // the resolver's interface, Docker's bridges
			}
			address := netip.MustParsePrefix(fields[3]).Addr()
			p.targets = append(p.targets, target{role, address, packetNetwork.Contains(address)})
		}
	}
	require.Len(t, p.hosts, 5)
}

// published are the ports that a role's container publishes, on every address
// though the matrix knows better: the role's own, and three that no row names.
func (p *packetLab) published(role stacks.Role) []int {
	ports := []int{3333, 8080, 27017}
	for _, row := range p.rows {
		if row.To == role && row.Port != 22 && row.Port != 9100 && !slices.Contains(ports, row.Port) {
			ports = append(ports, row.Port)
		}
	}
	return ports
}

// listen has every host answer on every port: the published ones from a
// container, by way of Docker's DNAT, all others by itself.
func (p *packetLab) listen(t *testing.T) {
	t.Helper()
	prober := filepath.Join(t.TempDir(), "prober")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", prober, "./prober")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	var all sync.WaitGroup
	for role, host := range p.hosts {
		all.Go(func() {
			run(t, nil, "docker", "cp", "--quiet", prober, host+":/opt/prober")
			published := p.published(role)
			inside := toJSON(t, packets.Listen{Name: string(role) + "-container", Addresses: []string{""}, TCP: published, UDP: published})
			args := []string{"exec", host, "docker", "run", "--detach", "--name", "listener", "--restart", "always"}
			for _, port := range published {
				args = append(args, "--publish", fmt.Sprintf("%d:%d/tcp", port, port), "--publish", fmt.Sprintf("%d:%d/udp", port, port))
			}
			run(t, nil, "docker", "exec", host, "sh", "-ec", "tar -C /opt -c prober | docker import - prober")
			run(t, nil, "docker", append(args, "prober", "/prober", "serve", inside)...)

			own := slices.DeleteFunc(slices.Clone(p.ports), func(port int) bool { return slices.Contains(published, port) })
			l := packets.Listen{Name: string(role), UDP: own, TCP: slices.DeleteFunc(slices.Clone(own), func(port int) bool { return port == 22 })}
			for _, to := range p.targets {
				if to.role == role {
					l.Addresses = append(l.Addresses, to.address.String())
				}
			}
			p.serve(t, host, l)
		})
	}
	all.Wait()
}

// serve runs a listener as a unit of the host's.
func (p *packetLab) serve(t *testing.T, host string, l packets.Listen) {
	run(t, nil, "docker", "exec", host, "systemd-run", "--quiet", "--unit=prober", "--property=LimitNOFILE=65536",
		"/opt/prober", "serve", toJSON(t, l))
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		said := run(t, nil, "docker", "exec", host, "journalctl", "--quiet", "--output=cat", "--unit=prober")
		if strings.Contains(said, "ready") {
			return
		}
		if time.Now().After(deadline) || strings.Contains(said, "prober:") {
			assert.Fail(t, "the listener does not listen", "%s: %s", host, said)
			return
		}
	}
}

// prober runs "prober probe" behind a command.
func (p *packetLab) prober(t *testing.T, command ...string) func(packets.Try) packets.Report {
	return func(try packets.Try) packets.Report {
		var report packets.Report
		out := run(t, strings.NewReader(toJSON(t, try)), "docker", append([]string{"exec", "--interactive"}, command...)...)
		assert.NoError(t, json.Unmarshal([]byte(out), &report), "%v printed %q", command, out)
		return report
	}
}

// run runs a program, which must succeed. It may be called from any goroutine.
func run(t *testing.T, stdin *strings.Reader, name string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	if stdin != nil {
		command.Stdin = stdin
	}
	if err := command.Run(); err != nil {
		assert.NoError(t, err, "%s %.300s\n%s%s", name, strings.Join(args, " "), out.String(), errs.String())
	}
	return out.String()
}
