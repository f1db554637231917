package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/config/configtest"
	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim/control"
)

// TestCapacity lets a cloud refuse a size that its catalogue has. The up says
// which size of the list is next, the next one with it made first completes, and
// an up with the list as it was, when there is capacity again, keeps what is.
func TestCapacity(t *testing.T) {
	if testing.Short() {
		t.Skip("short: runs the engine four times a cloud")
	}
	for cloud, sizes := range map[config.Cloud][2]string{
		config.DigitalOcean: {"s-1vcpu-2gb", "s-2vcpu-4gb"},
		config.Hetzner:      {"cx23", "cx33"},
	} {
		t.Run(string(cloud), func(t *testing.T) {
			t.Parallel()
			l := startDry(t, cloud)
			choose := func(first, second string) {
				require.NoError(t, l.Configure(t.Context(), configtest.Merge(l.Settings, map[string]any{
					"construct:roles": map[string]any{"app": map[string]any{"size": first, "fallbackSizes": []string{second}}},
				})))
			}
			choose(sizes[0], sizes[1])
			require.NoError(t, l.Control.Post(t.Context(), "/faults",
				control.Fault{Kind: control.Capacity, Route: serverRoute[cloud], Host: "construct-test-app-1", Body: `"` + sizes[0] + `"`}, nil))
			said := upFails(t.Context(), t, l.Stack)
			assert.Contains(t, said, "the next size in the list is "+sizes[1]+": make it construct:roles.app.size")

			choose(sizes[1], sizes[0])
			up(t, l)
			assert.Equal(t, sizes[1], serverSize(t, l, cloud, "construct-test-app-1"))
			require.NoError(t, l.Control.Delete(t.Context(), "/faults"))
			choose(sizes[0], sizes[1])
			assert.Equal(t, []string{"same"}, kinds(up(t, l)), "the choice is not remembered")
			destroy(t, l)
		})
	}
}

// account asks a cloud's own API.
func account(ctx context.Context, t *testing.T, l *lab.Lab, cloud config.Cloud, method, path string, into any) {
	t.Helper()
	url := l.Sim.Info().Hetzner + path
	if cloud == config.DigitalOcean {
		url = l.Sim.Info().DigitalOcean + "/v2" + path
	}
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+strings.Repeat("0", 64))
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	require.Less(t, answer.StatusCode, 300, "%s %s", method, path)
	if into != nil {
		require.NoError(t, json.NewDecoder(answer.Body).Decode(into))
	}
}

// machine is a server as either cloud describes it.
type machine struct {
	ID   int
	Name string
	Type struct{ Name string } `json:"server_type"`
	Size string                `json:"size_slug"`
}

// machines lists the account's servers, by name; a name that is there twice fails.
func machines(t *testing.T, l *lab.Lab, cloud config.Cloud) map[string]machine {
	t.Helper()
	var list struct{ Servers, Droplets []machine }
	path := "/servers"
	if cloud == config.DigitalOcean {
		path = "/droplets"
	}
	account(t.Context(), t, l, cloud, http.MethodGet, path, &list)
	all := map[string]machine{}
	for _, m := range append(list.Servers, list.Droplets...) {
		assert.NotContains(t, all, m.Name, "there are two of one name")
		all[m.Name] = m
	}
	return all
}

func serverSize(t *testing.T, l *lab.Lab, cloud config.Cloud, name string) string {
	t.Helper()
	m := machines(t, l, cloud)[name]
	return m.Size + m.Type.Name
}
