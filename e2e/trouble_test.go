package e2e

import (
	"maps"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim/control"
	"github.com/construct-server/infra/sim/host"
	"github.com/construct-server/infra/sim/rig"
)

// troubleInstance, troublePrefix and troubleNetwork keep these hosts apart from
// those of other tests.
const troubleInstance = "trouble"

var (
	troublePrefix  = netip.MustParsePrefix("198.18.60.0/24")
	troubleNetwork = "10.24.0.0/24"
	// troubleAdmits are networks of operators: the deploying machine's address,
	// which is never banned, and one wide enough for strangers to be in it.
	troubleAdmits = []string{"198.18.60.1/32", "198.18.0.0/16"}
)

// troubled is a fleet of container hosts, set up by the program, that runs no
// services.
type troubled struct {
	*deployment
	containers map[string]string // by role
	once       sync.Once
}

// TestTrouble is what dry hosts cannot be in: a connection that is cut while real
// scripts run, a line that loses packets, and an intruder who gets banned.
func TestTrouble(t *testing.T) {
	if !soaking() {
		t.Skip("soak: five more servers to set up; TestCutConnection cuts those of dry hosts")
	}
	if err := rig.Engine(t.Context()); err != nil {
		t.Skipf("no Docker engine, so no container hosts: %v", err)
	}
	for _, cloud := range clouds {
		t.Run(string(cloud), func(t *testing.T) {
			h := &troubled{deployment: &deployment{cloud: cloud, servers: map[string]lab.Server{}}, containers: map[string]string{}}
			h.Lab = startHosts(t, cloud, troubleInstance, troublePrefix, func(b host.Backend) host.Backend { return b })
			ssh := maps.Clone(h.Settings["construct:ssh"].(map[string]any))
			ssh["allowedCidrs"] = troubleAdmits
			require.NoError(t, h.Configure(t.Context(), h.Settings.With("construct:ssh", ssh).
				With("construct:network", map[string]any{"cidr": troubleNetwork})))
			t.Run("a set-up whose connection is cut", h.cutSetUp)
			if t.Failed() {
				return
			}
			t.Run("packets are lost during an up", h.lossy)
			t.Run("an intruder is banned", h.banned)
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

// lossy changes every host while a fifth of all packets is lost for a minute.
func (h *troubled) lossy(t *testing.T) {
	require.NoError(t, h.Configure(t.Context(), h.Settings.With("construct:rebootWindow", "Mon 03:00")))
	answers := func() string {
		out, _ := onContainer(t, h.containers["app"], "ping -q -n -i 0.02 -c 100 -W 2 "+h.servers["db"].PrivateIP) // fails when one is lost
		return out
	}
	throughLoss(t, h.Lab, func() (string, error) {
		h.once.Do(func() { assert.NotContains(t, answers(), " 0% packet loss", "the line is not bad") })
		return tryUp(t, h.Lab, noRelease...)
	})
	assert.Contains(t, answers(), " 0% packet loss", "the line is still bad")
	for role, name := range h.containers {
		assert.Contains(t, run(t, nil, "docker", "exec", name, "cat", "/etc/systemd/system/construct-reboot.timer"), "Mon", "%s was not changed", role)
	}
	assert.Equal(t, []string{"same"}, kinds(hostsUp(t, h.Lab)), "an up after the last one changed something")
}

// lossPercent and lossTime are a bad line, each way.
const (
	lossPercent = 20
	lossTime    = time.Minute
)

// throughLoss runs an up while packets are lost. It must complete, or fail within
// bounds and name a step; then the next one, on a good line, must complete.
func throughLoss(t *testing.T, l *lab.Lab, up func() (said string, err error)) {
	t.Helper()
	require.NoError(t, l.Control.Post(t.Context(), "/faults",
		control.Fault{Kind: control.Loss, Percent: lossPercent, DelayMS: int(lossTime.Milliseconds())}, nil))
	var said string
	took, err := lab.Elapsed(func() (err error) { said, err = up(); return err })
	require.NoError(t, l.Control.Delete(t.Context(), "/faults"))
	assert.Less(t, took, 10*time.Minute)
	if err == nil {
		measured(t, "an up with %d %% of the packets lost each way completed in %.0f s", lossPercent, took.Seconds())
		return
	}
	measured(t, "an up with %d %% of the packets lost each way gave up after %.0f s", lossPercent, took.Seconds())
	assert.Regexp(t, `\((gateway|app|db|message|media)-1-[a-z]+\)`, said, "no step is named")
	said, err = up()
	require.NoError(t, err, "an up after one on a bad line fails:\n%s", said)
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
