package e2e

import (
	"maps"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim/host"
	"github.com/construct-server/infra/sim/rig"
)

// troubleInstance, troublePrefix and troubleNetwork keep these hosts apart from
// those of other tests.
const troubleInstance = "trouble"

var (
	troublePrefix  = netip.MustParsePrefix("198.18.60.0/24")
	troubleNetwork = "10.24.0.0/24"
	// troubleAdmits are the operators' networks.
	troubleAdmits = []string{"198.18.60.1/32"}
)

// troubled is a fleet of container hosts, set up by the program, that runs no
// services.
type troubled struct {
	*deployment
	containers map[string]string // by role
}

// TestTrouble is what dry hosts cannot be in: a connection that is cut while real
// scripts run.
func TestTrouble(t *testing.T) {
	if testing.Short() {
		t.Skip("short: five servers take minutes to boot")
	}
	if err := rig.Engine(t.Context()); err != nil {
		t.Skipf("no Docker engine, so no container hosts: %v", err)
	}
	for _, cloud := range clouds {
		t.Run(string(cloud), func(t *testing.T) {
			if cloud != clouds[0] && os.Getenv("CONSTRUCT_SOAK") == "" {
				t.Skip("the hosts are the same on both clouds: CONSTRUCT_SOAK=1")
			}
			h := &troubled{deployment: &deployment{cloud: cloud, servers: map[string]lab.Server{}}, containers: map[string]string{}}
			h.Lab = startHosts(t, cloud, troubleInstance, troublePrefix, func(b host.Backend) host.Backend { return b })
			ssh := maps.Clone(h.Settings["construct:ssh"].(map[string]any))
			ssh["allowedCidrs"] = troubleAdmits
			require.NoError(t, h.Configure(t.Context(), h.Settings.With("construct:ssh", ssh).
				With("construct:network", map[string]any{"cidr": troubleNetwork})))
			t.Run("a set-up whose connection is cut", h.cutSetUp)
		})
	}
}

// find looks up servers and containers.
func (h *troubled) find(t *testing.T) {
	t.Helper()
	outputs, err := h.Stack.Outputs(t.Context())
	require.NoError(t, err)
	servers, err := lab.Servers(outputs)
	require.NoError(t, err)
	for _, server := range servers {
		h.servers[server.Role] = server
		h.containers[server.Role] = h.container(server.Name)
	}
	require.Len(t, h.servers, 5)
}

// container names a server's; empty: it is not there yet.
func (h *troubled) container(server string) string {
	for _, known := range h.Sim.Control.Hosts() {
		if known.Name == server {
			return "csim-" + troubleInstance + "-" + known.ID
		}
	}
	return ""
}

// awaitOn runs a shell command in a container until it succeeds, and returns
// what it printed.
func awaitOn(t *testing.T, container func() string, command string, patience time.Duration) string {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		out, err := onContainer(t, container(), command)
		if err == nil {
			return strings.TrimSpace(out)
		}
		if time.Now().After(deadline) {
			require.NoError(t, err, "%s: %s", command, out)
		}
	}
}
