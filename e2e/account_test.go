package e2e

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim/api"
)

// TestTwoStacksShareAnAccount brings a second stack up beside the first, with
// the same operator's key, and destroys the first. It waits for two ups, a
// destruction and a refresh on each cloud.
func TestTwoStacksShareAnAccount(t *testing.T) {
	if testing.Short() {
		t.Skip("short: brings two stacks up on each cloud")
	}
	for _, cloud := range clouds {
		t.Run(string(cloud), func(t *testing.T) {
			t.Parallel()
			first := startDry(t, cloud)
			named(t, first, "one.construct.test", "10.20.0.0/24")
			up(t, first)
			before, ran := listed(t, first), commands(t, first).Total

			// In the same directory: the operator's key and the state are shared.
			second, err := lab.Start(t.Context(), lab.Options{
				Root: root(t), Dir: filepath.Dir(first.WorkDir()), Cloud: cloud, Stack: "second",
				Simulator: first.Sim, Log: logWriter{t}, Env: quick,
			})
			require.NoError(t, err)
			named(t, second, "two.construct.test", "10.30.0.0/24")
			up(t, second)
			both := listed(t, first)
			for kind, list := range before {
				assert.Subset(t, both[kind], list, "the second stack took %s from the first", kind)
			}
			for name, list := range commands(t, first).Hosts {
				assert.NotEmpty(t, list, "%s was never told anything", name)
			}

			takeDown(t, first)
			left := listed(t, second)
			assert.Equal(t, without(both, before), left, "the first stack's end changed the second")
			assert.Len(t, left, len(before), "the stacks differ in their kinds of resource")
			_, err = second.Stack.Refresh(t.Context(), optrefresh.ExpectNoChanges())
			require.NoError(t, err, "the first stack's end changed the second")
			assert.Equal(t, 2*ran, commands(t, second).Total, "the stacks' hosts were not told the same")
			destroy(t, second)
		})
	}
}

// named gives a stack what may not be another's in the same account: a domain,
// and on DigitalOcean a range of addresses.
func named(t *testing.T, l *lab.Lab, domain, cidr string) {
	t.Helper()
	require.NoError(t, l.Configure(t.Context(), l.Settings.
		With("construct:domain", domain).With("construct:acme", map[string]any{"email": "ops@construct.test"}).
		With("construct:network", map[string]any{"cidr": cidr})))
}

// listed is what exists in the cloud, by kind.
func listed(t *testing.T, l *lab.Lab) map[string][]api.Resource {
	t.Helper()
	var r map[string][]api.Resource
	require.NoError(t, l.Control.Get(t.Context(), "/resources", &r))
	return r
}

// without is all that is not in gone.
func without(all, gone map[string][]api.Resource) map[string][]api.Resource {
	out := map[string][]api.Resource{}
	for kind, list := range all {
		is := map[api.Resource]bool{}
		for _, r := range gone[kind] {
			is[r] = true
		}
		for _, r := range list {
			if !is[r] {
				out[kind] = append(out[kind], r)
			}
		}
	}
	return out
}

// takeDown destroys a stack, whatever else there is in the cloud.
func takeDown(t *testing.T, l *lab.Lab) {
	t.Helper()
	var out bytes.Buffer
	_, err := l.Stack.Destroy(t.Context(), optdestroy.ProgressStreams(&out))
	require.NoError(t, err, "pulumi destroy:\n%s", out.String())
}
