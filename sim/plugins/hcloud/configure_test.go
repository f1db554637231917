package hcloud_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/sim/plugins/hcloud"
	"github.com/construct-server/infra/sim/plugins/provider"
)

func TestConfigure(t *testing.T) {
	t.Setenv("HCLOUD_TOKEN", "")
	for name, c := range map[string]struct {
		in   map[string]any
		want string
	}{
		"well":          {in: map[string]any{"token": strings.Repeat("t", 64)}},
		"no token":      {want: "exactly 64 characters"},
		"short token":   {in: map[string]any{"token": "short"}, want: "exactly 64 characters"},
		"poll interval": {in: map[string]any{"token": strings.Repeat("t", 64), "pollInterval": "x"}, want: `pollInterval "x"`},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := provider.NewServer(hcloud.New(), "")
			require.NoError(t, err)
			_, err = s.Configure(t.Context(), plugin.ConfigureRequest{Inputs: resource.NewPropertyMapFromMap(c.in)})
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "short", "a token must not be quoted")
		})
	}
}
