package e2e

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/e2e/lab"
)

// TestServersAreKept changes what a server was created with and previews: no
// server may be replaced for it. It waits for one up and two previews on each
// cloud.
func TestServersAreKept(t *testing.T) {
	if testing.Short() {
		t.Skip("short: brings a stack up on each cloud")
	}
	for _, cloud := range clouds {
		t.Run(string(cloud), func(t *testing.T) {
			t.Parallel()
			l := startDry(t, cloud)
			up(t, l)
			t.Run("when the operator's key changes", func(t *testing.T) {
				good := l.Settings
				keyPath := filepath.Join(t.TempDir(), "id_ed25519")
				other, err := lab.NewSample(cloud, lab.EndpointsOf(l.Sim.Info()), keyPath)
				require.NoError(t, err)
				require.NoError(t, l.Configure(t.Context(), good.With("construct:ssh", other["construct:ssh"])))
				// Every connection changes with the key, or the preview saw nothing.
				assert.Positive(t, planned(t, l)[apitype.OpUpdate])
				require.NoError(t, l.Configure(t.Context(), good))
			})
			t.Run("when the image was another", func(t *testing.T) {
				age(t, l)
				assert.Positive(t, planned(t, l)[apitype.OpSame])
			})
			destroy(t, l)
		})
	}
}

// planned previews and expects that nothing is created, replaced or deleted.
func planned(t *testing.T, l *lab.Lab) map[apitype.OpType]int {
	t.Helper()
	result, err := l.Stack.Preview(t.Context(), optpreview.Diff())
	require.NoError(t, err)
	for kind := range result.ChangeSummary {
		assert.Contains(t, []apitype.OpType{apitype.OpSame, apitype.OpUpdate}, kind, "%s\n%s", kind, result.StdOut)
	}
	return result.ChangeSummary
}

// age rewrites the state as an earlier version of the program would have left
// it: every server created from another image.
func age(t *testing.T, l *lab.Lab) {
	t.Helper()
	state, err := l.Stack.Export(t.Context())
	require.NoError(t, err)
	var deployment map[string]any
	require.NoError(t, json.Unmarshal(state.Deployment, &deployment))
	servers := 0
	for _, entry := range deployment["resources"].([]any) {
		r := entry.(map[string]any)
		if kind := r["type"].(string); !strings.HasSuffix(kind, ":Droplet") && !strings.HasSuffix(kind, ":Server") {
			continue
		}
		servers++
		for _, side := range []string{"inputs", "outputs"} {
			r[side].(map[string]any)["image"] = "debian-11"
		}
	}
	require.Equal(t, 5, servers)
	state.Deployment, err = json.Marshal(deployment)
	require.NoError(t, err)
	require.NoError(t, l.Stack.Import(t.Context(), state))
}
