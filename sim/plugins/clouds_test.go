package plugins_test

import (
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/digitalocean"
	"github.com/construct-server/infra/sim/hetzner"
	"github.com/construct-server/infra/sim/host/dry"
)

// serve runs an emulator over dry hosts whose addresses are this test's own.
func serve(t *testing.T, prefix string, newCloud func(*dry.Backend) api.Cloud) (api.Cloud, string) {
	t.Helper()
	backend := dry.New(dry.Options{Prefix: netip.MustParsePrefix(prefix), SSHPort: 2322})
	t.Cleanup(func() { require.NoError(t, backend.Close(t.Context())) })
	cloud := newCloud(backend)
	srv := httptest.NewServer(cloud)
	t.Cleanup(srv.Close)
	return cloud, srv.URL
}

// cloudCase is the life of the program testdata/<program> on an emulator.
type cloudCase struct {
	program          string
	total            int // resources, the stack included
	sizeFrom, sizeTo string
	endpoint         string // configuration key of the API's address
	path             string // of the API below its address
	tokenKey, token  string
	server           string // kind in the emulator
	updated          int    // resources that another size, port and volume change in place
	withServer       int    // resources replaced with the server
}

func TestCloudLifeCycles(t *testing.T) {
	for _, c := range []struct {
		cloudCase
		prefix string
		cloud  func(*dry.Backend) api.Cloud
	}{
		{
			cloudCase: cloudCase{
				program: "digitalocean", total: 14, sizeFrom: "s-1vcpu-1gb", sizeTo: "s-2vcpu-4gb",
				endpoint: "digitalocean:apiEndpoint", tokenKey: "digitalocean:token", token: "any", server: "droplet",
				updated: 3, withServer: 3,
			},
			prefix: "127.90.0.0/24",
			cloud: func(b *dry.Backend) api.Cloud {
				return digitalocean.New(digitalocean.Options{Backend: b, Logf: t.Logf})
			},
		},
		{
			cloudCase: cloudCase{
				program: "hcloud", total: 13, sizeFrom: "cx23", sizeTo: "cx33",
				endpoint: "hcloud:endpoint", path: "/v1", tokenKey: "hcloud:token", token: strings.Repeat("t", 64),
				server: "server", updated: 3, withServer: 3,
			},
			prefix: "127.91.0.0/24",
			cloud:  func(b *dry.Backend) api.Cloud { return hetzner.New(hetzner.Options{Backend: b, Logf: t.Logf}) },
		},
	} {
		t.Run(c.program, func(t *testing.T) {
			t.Parallel()
			e := newEngine(t, c.program)
			cloud, url := serve(t, c.prefix, c.cloud)
			liveOnce(t, e, cloud, url, c.cloudCase)
		})
	}
}

func liveOnce(t *testing.T, e *engine, cloud api.Cloud, url string, c cloudCase) {
	t.Helper()
	_, line := newKey(t)
	e.configure([]string{
		c.endpoint + "=" + url + c.path, "publicKey=" + line, "size=" + c.sizeFrom, "volume=10", "port=22",
		"userData=#cloud-config\n# secret-of-the-user-data\n",
	}, []string{c.tokenKey + "=" + c.token})

	require.Equal(t, c.total, e.preview()["create"])
	require.Empty(t, cloud.Resources(), "a preview must create nothing")
	e.up()
	require.NotEmpty(t, cloud.Resources()[c.server])
	require.NotContains(t, e.run("stack", "export"), "secret-of-the-user-data")

	require.Equal(t, map[string]int{"same": c.total}, e.preview(), "a no-op must be a no-op")
	e.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
	require.Equal(t, map[string]int{"same": c.total}, e.preview(), "no change after a refresh")

	before := cloud.Resources()[c.server]
	e.configure([]string{"size=" + c.sizeTo, "volume=20", "port=2222"}, nil)
	require.Equal(t, map[string]int{"same": c.total - c.updated, "update": c.updated}, e.up())
	require.Equal(t, before, cloud.Resources()[c.server], "the server is the same")

	e.configure([]string{"userData=#cloud-config\n# other\n"}, nil)
	require.Equal(t, c.withServer, e.preview()["replace"])
	e.up()
	require.NotEqual(t, before[0].ID, cloud.Resources()[c.server][0].ID, "user data replaces the server")
	require.Len(t, cloud.Resources()[c.server], 1)

	e.run("destroy", "--yes", "--skip-preview")
	require.Empty(t, cloud.Resources(), "destroy leaves nothing")
}
