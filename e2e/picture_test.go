package e2e

import (
	"encoding/json"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/control"
)

// numbers are what no two deployments share: ids and addresses.
var numbers = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9]+(\.[0-9]+)*`)

func masked(text string) string { return numbers.ReplaceAllString(text, "#") }

// scene is a deployment as it shows, without ids and addresses.
type scene struct {
	Resources map[string][]string // names, by kind
	Commands  map[string][]string // that went well, by host
	Outputs   string
}

// picture takes the scene, with the commands that ran since before.
func picture(t *testing.T, l *lab.Lab, before control.Commands) scene {
	t.Helper()
	s := scene{Resources: map[string][]string{}, Commands: map[string][]string{}}
	var all map[string][]api.Resource
	require.NoError(t, l.Control.Get(t.Context(), "/resources", &all))
	for kind, list := range all {
		for _, r := range list {
			s.Resources[kind] = append(s.Resources[kind], masked(r.Name))
		}
		slices.Sort(s.Resources[kind])
	}
	for host, list := range commands(t, l).Hosts {
		for _, c := range list[len(before.Hosts[host]):] {
			if c.Exit == 0 {
				s.Commands[host] = append(s.Commands[host], masked(c.Text))
			}
		}
		slices.Sort(s.Commands[host])
		s.Commands[host] = slices.Compact(s.Commands[host])
	}
	outputs, err := l.Stack.Outputs(t.Context())
	require.NoError(t, err)
	data, err := json.MarshalIndent(outputs, "", " ")
	require.NoError(t, err)
	s.Outputs = masked(string(data))
	return s
}
