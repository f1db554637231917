package e2e

import (
	"bytes"
	"context"
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/e2e/outside"
	"github.com/construct-server/infra/sim/rig"
)

// containerPrefix and containerNetwork keep the tests' hosts apart from those
// of a `make up` beside them.
var (
	containerPrefix  = netip.MustParsePrefix("198.51.100.128/25")
	containerNetwork = map[string]any{"cidr": "10.21.0.0/24"}
)

// soakSeconds is how long a new version is watched: a bad one that dies later does
// so after 20 seconds here. A change of it would run every release again.
const soakSeconds = 25

// deployment is a lab on container hosts with everything up.
type deployment struct {
	*lab.Lab
	cloud   config.Cloud
	rootPEM string
	pager   *pager
	servers map[string]lab.Server
	client  *outside.Client
	user    *outside.User
	loads   int  // how many loads there have been
	soak    bool // everything is tried, on both clouds
	// former are secrets that were rotated away, by name.
	former map[string]string
}

// TestDeployment brings the whole deployment up on container hosts and uses
// it from outside. It waits for five servers to boot, pull and start: some
// minutes for each cloud.
func TestDeployment(t *testing.T) {
	if testing.Short() {
		t.Skip("short: five servers take minutes to boot")
	}
	if err := rig.Engine(t.Context()); err != nil {
		t.Skipf("no Docker engine, so no container hosts: %v", err)
	}
	for _, cloud := range clouds {
		t.Run(string(cloud), func(t *testing.T) {
			sampled(t, cloud, config.DigitalOcean)
			soak := soaking()
			whole := cloud == clouds[0] || soak // of the second cloud, what is its own
			d := startDeployment(t, cloud)
			t.Run("is reached by HTTPS", d.https)
			t.Run("routes every API prefix to its service", d.routes)
			if soak {
				t.Run("keeps its secrets", d.secrets)
			}
			t.Run("delivers a message through broker and worker", d.message)
			t.Run("keeps rows in PostgreSQL", d.row)
			t.Run("replicates Redis", d.replica)
			t.Run("keeps an uploaded file", d.upload)
			if whole {
				t.Run("forgets a file with its message", d.expire)
				t.Run("believes no forged identity", d.identity)
				t.Run("logs who asks", d.logsClients)
				t.Run("speaks HTTP/3", d.http3)
				t.Run("slows one who asks too much", d.flood)
			}
			t.Run("has every Prometheus target up", d.targets)
			t.Run("has Grafana, with the configured password", d.grafana)
			t.Run("fits the smallest sizes", d.memory)
			t.Run("is reached by the printed SSH commands", d.ssh)
			t.Run("shows Grafana through the printed tunnel", d.tunnel)
			t.Run("does nothing when nothing changed", d.noop)
			if whole { // the clouds have no part in these
				t.Run("loses a service", d.lose)
				t.Run("keeps serving when a release is broken", d.broken)
			}
			if soak {
				t.Run("keeps its secrets when a release is broken", d.secrets)
			}
			t.Run("updates one service alone", d.update)
			if soak && cloud == clouds[0] {
				t.Run("is released over a bad line", d.badLine)
			}
			t.Run("grows a volume under the running database", d.grow)
			if hasLogs(cloud) {
				t.Run("collects what is logged", d.logs)
			}
			if whole {
				t.Run("has told of the lost service", d.told)
			}
			t.Run("has a series for every rule and panel", d.series)
			if whole { // the clouds have no part in these
				if soak { // the edge's own tests have the first, the stores' the second
					t.Run("is closed and opened without a restart", d.maintenance)
					t.Run("takes changed passwords without restarting a store", d.rotate)
				}
				t.Run("keeps its secrets, former ones too, whatever has happened", d.secrets)
				t.Run("keeps what was acknowledged when processes are killed", d.crash)
				t.Run("updates every service without a failed request", d.rolling)
			}
			if soak {
				if cloud == config.DigitalOcean {
					t.Run("comes back from a power cut", d.powerCut)
				}
				t.Run("goes on without media, and has it again", d.withoutMedia)
			}
			t.Run("is destroyed in one run", func(t *testing.T) { destroy(t, d.Lab) })
		})
	}
}

func startDeployment(t *testing.T, cloud config.Cloud) *deployment {
	t.Helper()
	d := newDeployment(t, cloud)
	took, err := lab.Elapsed(func() error { up(t, d.Lab); return nil })
	require.NoError(t, err)
	t.Logf("first up on %s: %.0f s", cloud, took.Seconds())
	d.connect(t)
	return d
}

// newDeployment is configured, and nothing of it is up.
func newDeployment(t *testing.T, cloud config.Cloud) *deployment {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	s, err := rig.Start(t.Context(), rig.Options{
		Hosts: rig.Container, Root: root, Instance: "e2e", Prefix: containerPrefix, Log: logWriter{t},
	})
	require.NoError(t, err)
	pager := newPager(t, containerPrefix.Addr().Next().String())
	l, err := lab.Start(t.Context(), lab.Options{Root: root, Dir: t.TempDir(), Cloud: cloud, Log: logWriter{t}, Simulator: s})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	require.NoError(t, l.Configure(t.Context(), l.Settings.
		With("construct:network", containerNetwork).
		With("construct:roles", smallestRoles(cloud)).
		With("construct:release", map[string]any{
			"repository": "ghcr.io/construct-server/construct-server", "tag": "0.7.0", "soakSeconds": soakSeconds,
		}).
		With("construct:logs", map[string]any{"enabled": hasLogs(cloud)}).
		With("construct:rateLimit", map[string]any{"requestsPerMinute": 60_000}). // under load
		With("construct:monitoring", map[string]any{"receivers": map[string]any{"webhookUrl": lab.Secret(pager.url)}})))
	return &deployment{
		Lab: l, cloud: cloud, pager: pager, rootPEM: s.Info().ACMERootPEM, servers: map[string]lab.Server{},
		soak: soaking(),
	}
}

// connect learns of the servers that are up, and registers a user.
func (d *deployment) connect(t *testing.T) {
	t.Helper()
	d.meet(t)
	var err error
	d.client, err = outside.New(lab.Domain, d.servers["gateway"].PublicIP, d.rootPEM)
	require.NoError(t, err)
	d.user, err = d.client.Register(t.Context(), "alice")
	require.NoError(t, err)
}

// meet learns of the servers that are up: all five.
func (d *deployment) meet(t *testing.T) {
	t.Helper()
	outputs, err := d.Stack.Outputs(t.Context())
	require.NoError(t, err)
	servers, err := lab.Servers(outputs)
	require.NoError(t, err)
	for _, server := range servers {
		d.servers[server.Role] = server
	}
	require.Len(t, d.servers, 5)
}

// on runs a command on a role's host, over SSH through the gateway.
func (d *deployment) on(t *testing.T, role, command string) string {
	t.Helper()
	client, err := lab.Dial(t.Context(), d.target(role))
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	out, err := client.Run(t.Context(), command)
	require.NoError(t, err)
	return out
}

func (d *deployment) target(role string) lab.SSHTarget {
	return lab.SSHTarget{
		KeyPath: d.KeyPath, HostKeySeed: d.secret("hostKeySeed"), Port: d.Sim.Info().SSHPort,
		Gateway: d.servers["gateway"], Server: d.servers[role],
	}
}

func (d *deployment) secret(name string) string {
	return string(d.Settings["construct:secrets"].(map[string]any)[name].(lab.Secret))
}

// release configures a tag for one service, the others on 0.7.0.
func (d *deployment) release(t *testing.T, service, tag string) {
	t.Helper()
	require.NoError(t, d.Configure(t.Context(), d.Settings.With("construct:release", map[string]any{
		"repository": "ghcr.io/construct-server/construct-server", "tag": "0.7.0", "soakSeconds": soakSeconds,
		"overrides": map[string]any{service: map[string]any{"tag": tag}},
	})))
}

// upFails runs an up that must fail and returns all that it printed.
func upFails(ctx context.Context, t *testing.T, stack auto.Stack) string {
	t.Helper()
	var out, errs bytes.Buffer
	_, err := stack.Up(ctx, optup.ProgressStreams(&out), optup.ErrorProgressStreams(&errs))
	require.Error(t, err, "up of a broken release went well:\n%s", out.String())
	return out.String() + errs.String()
}
