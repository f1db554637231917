package e2e

import (
	"bytes"
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim"
	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/control"
	"github.com/construct-server/infra/sim/host/dry"
	"github.com/construct-server/infra/sim/plugins/provider"
)

var clouds = []config.Cloud{config.DigitalOcean, config.Hetzner}

// quick lets the stand-in providers look at what they wait for as often as the
// quick clouds here deserve.
var quick = map[string]string{provider.PollVariable: "100ms"}

// root is the checkout.
func root(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("..")
	require.NoError(t, err)
	return path
}

// startDry is a lab on dry hosts: no Docker, no root.
func startDry(t *testing.T, cloud config.Cloud) *lab.Lab {
	t.Helper()
	return startDryWith(t, cloud, dry.Options{})
}

// startDryWith is startDry whose hosts take some seconds to boot, restart their
// sshd once, and are otherwise as told. Clouds and plugins are quick: what is
// tested here is order and outcome, not patience.
func startDryWith(t *testing.T, cloud config.Cloud, o dry.Options) *lab.Lab {
	t.Helper()
	o.BootDelay, o.RestartAfter, o.RestartFor = time.Second, 2*time.Second, 500*time.Millisecond
	l, err := lab.Start(t.Context(), lab.Options{
		Root: root(t), Dir: t.TempDir(), Cloud: cloud, Log: logWriter{t}, Backend: dry.New(o),
		Sim: sim.Options{Speed: &api.Speed{Boot: 300 * time.Millisecond, Action: 50 * time.Millisecond, Linger: 300 * time.Millisecond}},
		Env: quick,
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	return l
}

// logWriter keeps what the engine printed for the case that a test fails.
type logWriter struct{ t *testing.T }

func (w logWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}

func up(t *testing.T, l *lab.Lab) map[string]int {
	t.Helper()
	var out, errs bytes.Buffer
	result, err := l.Stack.Up(t.Context(), optup.ProgressStreams(&out), optup.ErrorProgressStreams(&errs))
	if err != nil {
		t.Fatalf("pulumi up failed:\n%s\nfrom its start:\n%s\n%s", diagnostics(out.String()), out.String(), errs.String())
	}
	return *result.Summary.ResourceChanges
}

// diagnostics are the engine's own summary of what went wrong: first, since
// whoever shows a long failure shortens its end.
func diagnostics(out string) string {
	_, summary, _ := strings.Cut(out, "\nDiagnostics:\n")
	summary, _, _ = strings.Cut(summary, "\nOutputs:\n")
	return summary
}

func preview(t *testing.T, l *lab.Lab) string {
	t.Helper()
	var out bytes.Buffer
	_, err := l.Stack.Preview(t.Context(), optpreview.Diff(), optpreview.ProgressStreams(&out))
	require.NoError(t, err, "pulumi preview:\n%s", out.String())
	return out.String()
}

func commands(t *testing.T, l *lab.Lab) control.Commands {
	t.Helper()
	var c control.Commands
	require.NoError(t, l.Control.Get(t.Context(), "/commands", &c))
	return c
}

func resources(t *testing.T, l *lab.Lab) map[string]any {
	t.Helper()
	var r map[string]any
	require.NoError(t, l.Control.Get(context.WithoutCancel(t.Context()), "/resources", &r))
	return r
}

func destroy(t *testing.T, l *lab.Lab) {
	t.Helper()
	takeDown(t, l)
	assert.Empty(t, resources(t, l), "destroy left something in the cloud")
}

// lifeLimit is how long a life on dry hosts may take on a machine of its own.
const lifeLimit = time.Minute

// TestLifeCycle is a stack's whole life on dry hosts. It is timed, and so runs
// beside no other test.
func TestLifeCycle(t *testing.T) {
	if testing.Short() {
		t.Skip("short: runs the engine eight times a cloud")
	}
	for _, cloud := range clouds {
		t.Run(string(cloud), func(t *testing.T) {
			l := startDry(t, cloud)
			within(t, lifeLimit, func() { live(t, l) })
			walked(t, l)
		})
	}
}

func live(t *testing.T, l *lab.Lab) {
	t.Helper()
	up(t, l)
	ran := commands(t, l).Total
	require.Positive(t, ran)
	changes := up(t, l)
	assert.Equal(t, []string{"same"}, kinds(changes), "a second up changed something")
	assert.Equal(t, ran, commands(t, l).Total, "a second up ran SSH commands")

	oneService(t, l)
	oneOperator(t, l)

	_, err := l.Stack.Refresh(t.Context(), optrefresh.ExpectNoChanges())
	require.NoError(t, err, "refresh found drift where there is none")

	withoutMedia(t, l)
	destroy(t, l)
}

// oneService releases a new tag of one service and expects nothing else to
// be touched.
func oneService(t *testing.T, l *lab.Lab) {
	t.Helper()
	before := commands(t, l)
	require.NoError(t, l.Configure(t.Context(), l.Settings.With("construct:release", map[string]any{
		"repository": "ghcr.io/construct-server/construct-server", "tag": "0.7.0",
		"overrides": map[string]any{"user-service": map[string]any{"tag": "0.7.1"}},
	})))
	namesOnly(t, preview(t, l), "user-service", "0.7.1")
	up(t, l)
	touchedOnly(t, "app", before, commands(t, l))
}

// oneOperator lets somebody else in and expects two commands, both on the
// gateway: never to be banned, and to pass the packet filter.
func oneOperator(t *testing.T, l *lab.Lab) {
	t.Helper()
	before := commands(t, l)
	ssh := maps.Clone(l.Settings["construct:ssh"].(map[string]any))
	ssh["allowedCidrs"] = append(slices.Clone(ssh["allowedCidrs"].([]string)), "203.0.113.7/32")
	require.NoError(t, l.Configure(t.Context(), l.Settings.With("construct:ssh", ssh)))
	up(t, l)
	for name, list := range commands(t, l).Hosts {
		list = list[len(before.Hosts[name]):]
		if !strings.Contains(name, "-gateway-") {
			assert.Empty(t, list, "%s was touched", name)
			continue
		}
		if assert.Len(t, list, 2, "%s was told other things", name) {
			assert.Contains(t, list[0].Text, "--trust 203.0.113.7/32")
			assert.Contains(t, list[1].Text, "construct-firewall apply")
		}
	}
}
