package e2e

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim/control"
	"github.com/construct-server/infra/sim/host/dry"
)

// serverRoute matches the request that creates a server.
var serverRoute = map[config.Cloud]string{config.DigitalOcean: "^POST /v2/droplets$", config.Hetzner: "^POST /v1/servers$"}

// trouble is one way to break a first up, and what the up says of it.
type trouble struct {
	name  string
	cloud config.Cloud
	fault control.Fault
	says  []string
	limit time.Duration // for the up to end
}

func troubles() []trouble {
	const atOnce, retried = time.Minute, 2 * time.Minute // clients retry a 5xx for half a minute
	list := []trouble{
		{
			"a 5xx that does not go away", config.DigitalOcean,
			control.Fault{Kind: control.Status, Route: "^POST /v2/vpcs$", Status: http.StatusServiceUnavailable},
			[]string{"Vpc", "network", "503"}, retried,
		},
		{
			"a 5xx that does not go away", config.Hetzner,
			control.Fault{Kind: control.Status, Route: "^POST /v1/networks$", Status: http.StatusBadGateway},
			[]string{"Network", "network", "bad_gateway"}, retried,
		},
		{
			"a cloud that is out of order", config.DigitalOcean,
			control.Fault{Kind: control.Status, Route: "^[A-Z]+ ", Status: http.StatusServiceUnavailable},
			[]string{"list DigitalOcean's regions", "503"}, retried,
		},
		{
			"a cloud that is out of order", config.Hetzner,
			control.Fault{Kind: control.Status, Route: "^[A-Z]+ ", Status: http.StatusServiceUnavailable},
			[]string{"list Hetzner's locations", "unavailable"}, retried,
		},
		{
			"a 5xx for one server", config.DigitalOcean,
			control.Fault{Kind: control.Status, Route: serverRoute[config.DigitalOcean], Host: "construct-test-db-1", Status: http.StatusInternalServerError},
			[]string{"Droplet", "db-1", "500"}, retried,
		},
		{
			"no capacity for a server", config.DigitalOcean,
			control.Fault{Kind: control.Capacity, Route: serverRoute[config.DigitalOcean], Host: "construct-test-app-1"},
			[]string{"Droplet", "app-1", "422"}, atOnce,
		},
		{
			"no capacity for a server", config.Hetzner,
			control.Fault{Kind: control.Capacity, Route: serverRoute[config.Hetzner], Host: "construct-test-app-1"},
			[]string{"app-1", "resource_unavailable"}, atOnce,
		},
		{
			// 20 dials through the gateway, at most 5 s apart.
			"a host that never answers SSH", config.DigitalOcean,
			control.Fault{Kind: control.RefuseSSH, Host: "construct-test-message-1"},
			[]string{"message-1-ready", "construct-test-message-1"}, 4 * time.Minute,
		},
	}
	if soaking() {
		list = append(list, trouble{
			// 70 dials, at most 5 s apart: what a slow boot is allowed.
			"a gateway that never answers SSH", config.Hetzner,
			control.Fault{Kind: control.RefuseSSH, Host: "construct-test-gateway-1"},
			[]string{"gateway-1-ready", "construct-test-gateway-1"}, 8 * time.Minute,
		})
	}
	return list
}

// TestFailingUp breaks a first up in one way at a time. It must end in bounded
// time and say where; the next up, without the fault, must complete. It waits
// for the providers to give up.
func TestFailingUp(t *testing.T) {
	if testing.Short() {
		t.Skip("short: waits for clients to give up on what does not go away")
	}
	for _, c := range troubles() {
		t.Run(c.name+" on "+string(c.cloud), func(t *testing.T) {
			t.Parallel()
			l := startDry(t, c.cloud)
			require.NoError(t, l.Control.Post(t.Context(), "/faults", c.fault, nil))
			var said string
			took, _ := lab.Elapsed(func() error { said = upFails(t.Context(), t, l.Stack); return nil })
			t.Logf("the up gave up after %.0f s", took.Seconds())
			assert.Less(t, took, c.limit)
			for _, want := range c.says {
				assert.Contains(t, said, want)
			}
			require.NoError(t, l.Control.Delete(t.Context(), "/faults"))
			up(t, l)
			assert.Equal(t, []string{"same"}, kinds(up(t, l)), "an up after a failed one is not complete")
			destroy(t, l)
		})
	}
}

// TestGivingUp destroys what a failed first up has made, while the fault lasts.
func TestGivingUp(t *testing.T) {
	if testing.Short() {
		t.Skip("short: runs the engine twice a cloud")
	}
	for _, cloud := range clouds {
		t.Run(string(cloud), func(t *testing.T) {
			t.Parallel()
			l := startDry(t, cloud)
			require.NoError(t, l.Control.Post(t.Context(), "/faults",
				control.Fault{Kind: control.Capacity, Route: serverRoute[cloud], Host: "construct-test-message-1"}, nil))
			upFails(t.Context(), t, l.Stack)
			assert.NotEmpty(t, resources(t, l))
			destroy(t, l)
		})
	}
}

// TestPassingTrouble is trouble that an up must sit through.
func TestPassingTrouble(t *testing.T) {
	if testing.Short() {
		t.Skip("short: waits as long as the cloud asks to")
	}
	for name, fault := range map[string]control.Fault{
		"too many requests for servers": {Kind: control.Status, Status: http.StatusTooManyRequests, RetryAfter: 1, Times: 2},
		"a storm of 429":                {Kind: control.Status, Route: "^POST ", Status: http.StatusTooManyRequests, RetryAfter: 1, Times: 12},
	} {
		for _, cloud := range clouds {
			t.Run(name+" on "+string(cloud), func(t *testing.T) {
				t.Parallel()
				l := startDry(t, cloud)
				if fault.Route == "" {
					fault.Route = serverRoute[cloud]
				}
				require.NoError(t, l.Control.Post(t.Context(), "/faults", fault, nil))
				up(t, l)
				destroy(t, l)
			})
		}
	}
}

// TestFailedReleaseHoldsTheOthersBack fails the message role's release.
func TestFailedReleaseHoldsTheOthersBack(t *testing.T) {
	if testing.Short() {
		t.Skip("short: runs the engine three times")
	}
	t.Parallel()
	l, mend := startFailing(t, "of message on", "construct-redpanda-1 (redpanda) is unhealthy, restarted 3 times\n  last 1 log lines:\n  out of disk")
	said := upFails(t.Context(), t, l.Stack)
	for _, want := range []string{"message-1-release", "construct-test-message-1", "redpanda", "out of disk"} {
		assert.Contains(t, said, want)
	}
	assert.True(t, applied(t, l, "db-1"), "db does not wait for message")
	for _, later := range []string{"app-1", "media-1", "gateway-1"} {
		assert.False(t, applied(t, l, later), "%s was released although message is not healthy", later)
	}
	mend()
	up(t, l)
	assert.True(t, applied(t, l, "gateway-1"))
	destroy(t, l)
}

// TestUnreachableBehindTheGateway fails the gateway's wait for the app server,
// in the words that the script has for it.
func TestUnreachableBehindTheGateway(t *testing.T) {
	if testing.Short() {
		t.Skip("short: runs the engine three times")
	}
	t.Parallel()
	const words = "construct-test-app-1: no answer from sshd at 10.20.0.3 port 2222 for 300 seconds, dialled from construct-test-gateway-1: Connection refused."
	l, mend := startFailing(t, "wait until construct-test-app-1 answers SSH", words)
	said := upFails(t.Context(), t, l.Stack)
	assert.Contains(t, said, words)
	assert.Contains(t, said, "app-1-reach")
	assert.Empty(t, commands(t, l).Hosts["construct-test-app-1"], "a host that does not answer was told something")
	assert.False(t, applied(t, l, "gateway-1"), "the gateway was released without the app")
	mend()
	up(t, l)
	destroy(t, l)
}

// startFailing is a lab in which the commands that contain text fail with
// these words, until they are mended.
func startFailing(t *testing.T, text, words string) (l *lab.Lab, mend func()) {
	t.Helper()
	var mended atomic.Bool
	l = startDryWith(t, config.DigitalOcean, dry.Options{Respond: func(_, command string) (string, int) {
		// Pulling comes before and is not what fails.
		if !mended.Load() && strings.Contains(command, text) && !strings.Contains(command, " pull ") {
			return words, 1
		}
		return "", 0
	}})
	return l, func() { mended.Store(true) }
}

// applied tells whether a release was tried on a host.
func applied(t *testing.T, l *lab.Lab, server string) bool {
	t.Helper()
	for _, c := range commands(t, l).Hosts["construct-test-"+server] {
		if strings.Contains(c.Text, "construct-release apply") {
			return true
		}
	}
	return false
}
