package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/config/configtest"
	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim/control"
)

// sampleOf is which part of the corpus every run tries through the engine:
// package config judges all of it, in milliseconds. CONSTRUCT_SOAK tries all.
const sampleOf = 12

// TestBadConfiguration previews invalid stack files through the engine: each
// reports all that is wrong, and no cloud is asked anything.
func TestBadConfiguration(t *testing.T) {
	if testing.Short() {
		t.Skip("short: runs the engine once a case")
	}
	t.Parallel()
	l := startDry(t, config.DigitalOcean)
	good := l.Settings
	cases, err := configtest.Invalid()
	require.NoError(t, err)
	tried, most := 0, 0
	for i, c := range cases {
		if c.Stack != "prod" || len(c.Want) < 5 && i%sampleOf != 0 && !soaking() {
			continue
		}
		tried, most = tried+1, max(most, len(c.Want))
		t.Run(c.Name, func(t *testing.T) {
			for name, content := range c.Files {
				file := filepath.Join(l.WorkDir(), filepath.FromSlash(name))
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
				require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
			}
			settings := lab.Settings(marked(c.Config).(map[string]any))
			for key, value := range good {
				if !strings.HasPrefix(key, "construct:") {
					settings = settings.With(key, value)
				}
			}
			require.NoError(t, l.Configure(t.Context(), settings))
			said := previewFails(t, l)
			for _, want := range c.Want {
				assert.Contains(t, said, want)
			}
			if len(c.Want) < 5 {
				return
			}
			said = upFails(t.Context(), t, l.Stack) // without a preview before it
			for _, want := range c.Want {
				assert.Contains(t, said, want)
			}
		})
	}
	assert.GreaterOrEqual(t, tried, 8, "the corpus shrank")
	assert.GreaterOrEqual(t, most, 5, "no case with five mistakes was tried")
	var asked control.Requests
	require.NoError(t, l.Control.Get(t.Context(), "/requests", &asked))
	assert.Zero(t, asked.Total, "a bad configuration reached the cloud: %v", asked.Counts)
}

// TestUnknownToTheCloud is what is well-formed and not on offer: the catalogue
// is read, nothing is made. It waits for a preview and an up of each case.
func TestUnknownToTheCloud(t *testing.T) {
	if testing.Short() {
		t.Skip("short: runs the engine twice a case")
	}
	app := map[string]any{"app": map[string]any{"size": "s-77vcpu-1gb"}}
	for _, c := range []struct {
		name   string
		cloud  config.Cloud
		change map[string]any
		says   string
	}{
		{"size", config.DigitalOcean, map[string]any{"construct:roles": app}, `construct:roles.app.size: "s-77vcpu-1gb"`},
		{
			"size", config.Hetzner, map[string]any{"construct:roles": map[string]any{"db": map[string]any{"size": "cx999"}}},
			`construct:roles.db.size: "cx999"`,
		},
		{"region", config.DigitalOcean, map[string]any{"construct:region": "mun1"}, `construct:region: DigitalOcean has no region "mun1"`},
		{"region", config.Hetzner, map[string]any{"construct:region": "mun1"}, `construct:region: Hetzner has no region "mun1"`},
	} {
		t.Run(c.name+" on "+string(c.cloud), func(t *testing.T) {
			t.Parallel()
			l := startDry(t, c.cloud)
			settings := map[string]any(l.Settings)
			require.NoError(t, l.Configure(t.Context(), configtest.Merge(settings, c.change)))
			assert.Contains(t, previewFails(t, l), c.says)
			assert.Contains(t, upFails(t.Context(), t, l.Stack), c.says)
			var asked control.Requests
			require.NoError(t, l.Control.Get(t.Context(), "/requests", &asked))
			assert.Positive(t, asked.Total, "the catalogue was not read")
			for route := range asked.Counts {
				assert.True(t, strings.HasPrefix(route, "GET "), "%s was sent", route)
			}
			assert.Empty(t, resources(t, l))
		})
	}
}

// marked turns {secure: value} into the lab's way to say secret.
func marked(v any) any {
	if list, ok := v.([]any); ok {
		out := make([]any, len(list))
		for i, value := range list {
			out[i] = marked(value)
		}
		return out
	}
	tree, ok := v.(map[string]any)
	if !ok {
		return v
	}
	if value, ok := tree["secure"].(string); ok && len(tree) == 1 {
		return lab.Secret(value)
	}
	out := make(map[string]any, len(tree))
	for key, value := range tree {
		out[key] = marked(value)
	}
	return out
}

func previewFails(t *testing.T, l *lab.Lab) string {
	t.Helper()
	var out, errs bytes.Buffer
	_, err := l.Stack.Preview(t.Context(), optpreview.ProgressStreams(&out), optpreview.ErrorProgressStreams(&errs))
	require.Error(t, err, "preview of a bad configuration went well:\n%s", out.String())
	return out.String() + errs.String()
}
