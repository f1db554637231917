package e2e

import (
	"bytes"
	"maps"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/e2e/lab"
)

// TestPreviewSaysThatNobodyIsTold previews, on dry hosts, deployments whose
// alerts reach nobody, and others.
func TestPreviewSaysThatNobodyIsTold(t *testing.T) {
	if testing.Short() {
		t.Skip("short: the engine takes seconds to start")
	}
	l := startDry(t, config.DigitalOcean)
	sample := l.Settings
	roles := maps.Clone(sample["construct:roles"].(map[string]any))
	roles["media"] = map[string]any{"enabled": false}
	for _, c := range []struct {
		name     string
		settings lab.Settings
		warns    bool
	}{
		{"no receiver", sample.With("construct:monitoring", map[string]any{}), true},
		{"a webhook", sample.With("construct:monitoring", map[string]any{
			"receivers": map[string]any{"webhookUrl": lab.Secret("https://hooks.example.com/T0P53CR3T")},
		}), false},
		{"no monitoring", sample.With("construct:monitoring", map[string]any{}).
			With("construct:roles", roles), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, l.Configure(t.Context(), c.settings))
			var out, errs bytes.Buffer
			_, err := l.Stack.Preview(t.Context(), optpreview.ProgressStreams(&out), optpreview.ErrorProgressStreams(&errs))
			require.NoError(t, err, out.String()+errs.String())
			const warning = "NOBODY IS TOLD OF ALERTS: construct:monitoring.receivers names no receiver"
			said := out.String() + errs.String()
			if c.warns {
				assert.Contains(t, said, warning)
				assert.Contains(t, said, "warning", "it is not a warning:\n%s", said)
			} else {
				assert.NotContains(t, said, warning)
			}
		})
	}
}
