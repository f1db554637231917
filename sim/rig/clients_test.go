package rig_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/sim"
	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/rig"
)

// client is a cloud's own command line: a client that nobody here wrote.
type client struct {
	t    *testing.T
	path string
	env  []string
}

// newClient finds a command line, where it is installed, and keeps it away from
// the configuration of whoever runs the test.
func newClient(t *testing.T, name string) *client {
	t.Helper()
	if testing.Short() {
		t.Skip("short: the command lines look at what they wait for every five seconds")
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed (tools/build.sh %s)", name, name)
	}
	home := t.TempDir()
	return &client{t, path, []string{"HOME=" + home, "XDG_CONFIG_HOME=" + home, "PATH=" + os.Getenv("PATH")}}
}

func (c *client) try(args ...string) (string, error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, c.path, args...)
	command.Env = c.env
	out, err := command.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// run runs a command that must go well, and returns what it printed.
func (c *client) run(args ...string) string {
	c.t.Helper()
	out, err := c.try(args...)
	require.NoError(c.t, err, "%v: %s", args, out)
	return out
}

// refused runs a command that the cloud must refuse in these words.
func (c *client) refused(words string, args ...string) {
	c.t.Helper()
	out, err := c.try(args...)
	require.Error(c.t, err, "%v: %s", args, out)
	assert.Contains(c.t, out, words, "%v", args)
}

func quickClouds(t *testing.T) *sim.Simulator {
	t.Helper()
	s, err := rig.Start(t.Context(), rig.Options{
		Hosts: rig.Dry, Log: t.Output(),
		Speed: &api.Speed{Boot: 300 * time.Millisecond, Action: 50 * time.Millisecond, Linger: 100 * time.Millisecond},
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

// nothingLeft expects an account without resources.
func nothingLeft(t *testing.T, s *sim.Simulator) {
	t.Helper()
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		answer, err := http.Get(s.Info().Control + "/resources") //nolint:noctx // the simulator's own
		if !assert.NoError(t, err) {
			return
		}
		defer func() { _ = answer.Body.Close() }()
		left, err := io.ReadAll(answer.Body)
		assert.NoError(t, err)
		assert.JSONEq(t, "{}", string(left))
	}, 10*time.Second, 100*time.Millisecond)
}

// publicKey writes an operator's public key.
func publicKey(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "id.pub")
	const line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN0eQ1jUSCTNPmlkGJzFKWjBG9D7yzVYhdYJNuX0dMuS operator\n"
	require.NoError(t, os.WriteFile(file, []byte(line), 0o600))
	return file
}

// TestHetznersCommandLine is the life of a server, told by hcloud.
func TestHetznersCommandLine(t *testing.T) {
	t.Parallel()
	c := newClient(t, "hcloud")
	s := quickClouds(t)
	c.env = append(c.env, "HCLOUD_ENDPOINT="+s.Info().Hetzner, "HETZNER_ENDPOINT="+s.Info().Hetzner,
		"HCLOUD_TOKEN="+strings.Repeat("0", 64), "HCLOUD_POLL_INTERVAL=100ms")

	assert.Contains(t, c.run("location", "list"), "fsn1")
	assert.Contains(t, c.run("server-type", "list"), "cx23")
	assert.Contains(t, c.run("image", "list"), "debian-12")
	c.run("ssh-key", "create", "--name", "key", "--public-key-from-file", publicKey(t))
	c.run("network", "create", "--name", "net", "--ip-range", "10.9.0.0/16")
	c.run("network", "add-subnet", "net", "--type", "cloud", "--network-zone", "eu-central", "--ip-range", "10.9.1.0/24")
	c.run("firewall", "create", "--name", "wall")
	c.run("firewall", "add-rule", "wall", "--direction", "in", "--protocol", "tcp", "--port", "22", "--source-ips", "0.0.0.0/0")
	c.run("placement-group", "create", "--name", "group", "--type", "spread")
	c.run("primary-ip", "create", "--name", "address", "--type", "ipv4", "--location", "fsn1")
	c.run("volume", "create", "--name", "data", "--size", "10", "--location", "fsn1")
	c.refused("uniqueness_error", "volume", "create", "--name", "data", "--size", "10", "--location", "fsn1")
	c.run("server", "create", "--name", "db", "--type", "cx23", "--image", "debian-12", "--location", "fsn1", "--ssh-key", "key",
		"--network", "net", "--firewall", "wall", "--placement-group", "group", "--primary-ipv4", "address", "--label", "role=db")

	var server struct {
		Status  string
		Private []struct{ IP string } `json:"private_net"`
		Labels  map[string]string
	}
	require.NoError(t, json.Unmarshal([]byte(c.run("server", "describe", "db", "-o", "json")), &server))
	assert.Equal(t, "running", server.Status)
	assert.Equal(t, map[string]string{"role": "db"}, server.Labels)
	require.Len(t, server.Private, 1)
	assert.True(t, strings.HasPrefix(server.Private[0].IP, "10.9.1."), server.Private[0].IP)
	assert.Contains(t, c.run("server", "list", "-l", "role=db"), "db")
	assert.NotContains(t, c.run("server", "list", "-l", "role=web"), "running")

	c.run("volume", "attach", "data", "--server", "db")
	c.run("volume", "resize", "data", "--size", "20")
	assert.Contains(t, c.run("volume", "list"), "20 GB")
	c.refused("server_not_stopped", "server", "change-type", "db", "cx33", "--keep-disk")
	c.run("server", "poweroff", "db")
	c.run("server", "change-type", "db", "cx33", "--keep-disk")
	c.run("server", "poweron", "db")
	c.run("server", "enable-protection", "db", "delete", "rebuild")
	c.refused("protected", "server", "delete", "db")
	c.run("server", "disable-protection", "db", "delete", "rebuild")
	c.run("zone", "create", "--name", "example.com")
	c.run("zone", "rrset", "create", "--name", "www", "--type", "A", "--record", "192.0.2.1", "example.com")
	assert.Contains(t, c.run("zone", "rrset", "list", "example.com"), "192.0.2.1")

	c.refused("resource_in_use", "firewall", "delete", "wall")
	c.run("server", "delete", "db")
	for _, what := range [][]string{
		{"volume", "delete", "data"}, {"primary-ip", "delete", "address"}, {"placement-group", "delete", "group"},
		{"firewall", "delete", "wall"}, {"network", "delete", "net"}, {"ssh-key", "delete", "key"}, {"zone", "delete", "example.com"},
	} {
		c.run(what...)
	}
	nothingLeft(t, s)
}

// TestDigitalOceansCommandLine is the life of a droplet, told by doctl.
func TestDigitalOceansCommandLine(t *testing.T) {
	t.Parallel()
	c := newClient(t, "doctl")
	s := quickClouds(t)
	c.env = append(c.env, "DIGITALOCEAN_API_URL="+s.Info().DigitalOcean+"/", "DIGITALOCEAN_ACCESS_TOKEN=dop_v1_0", "DIGITALOCEAN_HTTP_RETRY_MAX=0")
	// made is the id of what a command has created.
	made := func(args ...string) string {
		t.Helper()
		var list []struct {
			ID json.RawMessage // a number or a string
			IP json.RawMessage // a reserved IP's only name
		}
		out := c.run(append(args, "-o", "json")...)
		require.NoError(t, json.Unmarshal([]byte(out), &list), out)
		require.Len(t, list, 1, out)
		return strings.Trim(string(list[0].ID)+string(list[0].IP), `"`)
	}

	assert.Contains(t, c.run("account", "get"), "active")
	assert.Contains(t, c.run("compute", "region", "list"), "fra1")
	assert.Contains(t, c.run("compute", "size", "list"), "s-2vcpu-4gb")
	key := made("compute", "ssh-key", "import", "key", "--public-key-file", publicKey(t))
	first := made("vpcs", "create", "--name", "first", "--region", "fra1")
	c.refused("Can not delete default VPCs", "vpcs", "delete", first, "--force")
	vpc := made("vpcs", "create", "--name", "net", "--region", "fra1", "--ip-range", "10.8.0.0/24")
	c.run("compute", "tag", "create", "db")
	wall := made("compute", "firewall", "create", "--name", "wall", "--tag-names", "db",
		"--inbound-rules", "protocol:tcp,ports:22,address:0.0.0.0/0", "--outbound-rules", "protocol:tcp,ports:all,address:0.0.0.0/0")
	volume := made("compute", "volume", "create", "data", "--region", "fra1", "--size", "10GiB")
	droplet := made("compute", "droplet", "create", "db", "--size", "s-1vcpu-2gb", "--image", "debian-12-x64", "--region", "fra1",
		"--vpc-uuid", vpc, "--ssh-keys", key, "--tag-names", "db", "--wait")

	var droplets []struct {
		Name, Status string
		Tags         []string
		VPC          string `json:"vpc_uuid"`
	}
	require.NoError(t, json.Unmarshal([]byte(c.run("compute", "droplet", "get", droplet, "-o", "json")), &droplets))
	require.Len(t, droplets, 1)
	assert.Equal(t, "active", droplets[0].Status)
	assert.Equal(t, []string{"db"}, droplets[0].Tags)
	assert.Equal(t, vpc, droplets[0].VPC)
	assert.Contains(t, c.run("compute", "firewall", "list-by-droplet", droplet), wall)

	c.run("compute", "volume-action", "attach", volume, droplet, "--wait")
	c.refused("409", "compute", "volume", "delete", volume, "--force")
	c.run("compute", "volume-action", "resize", volume, "--size", "20", "--region", "fra1", "--wait")
	assert.Equal(t, "20 GiB", c.run("compute", "volume", "list", "--format", "Size", "--no-header"))
	project := made("projects", "create", "--name", "prod", "--purpose", "Service or API")
	assigned := c.run("projects", "resources", "assign", project, "--resource", "do:droplet:"+droplet, "--resource", "do:droplet:1")
	assert.Contains(t, assigned, "not_found")
	address := made("compute", "reserved-ip", "create", "--droplet-id", droplet)
	c.run("compute", "domain", "create", "example.com", "--ip-address", "192.0.2.1")
	assert.Contains(t, c.run("compute", "domain", "records", "list", "example.com"), "192.0.2.1")

	c.refused("409", "vpcs", "delete", vpc, "--force")
	c.run("compute", "droplet", "delete", droplet, "--force")
	require.Eventually(t, func() bool { // a VPC has its members for a while longer
		_, err := c.try("vpcs", "delete", vpc, "--force")
		return err == nil
	}, 10*time.Second, 200*time.Millisecond)
	for _, what := range [][]string{
		{"compute", "volume", "delete", volume}, {"compute", "reserved-ip", "delete", address}, {"compute", "firewall", "delete", wall},
		{"compute", "domain", "delete", "example.com"}, {"projects", "delete", project}, {"compute", "tag", "delete", "db"},
		{"compute", "ssh-key", "delete", key},
	} {
		c.run(append(what, "--force")...)
	}
	nothingLeft(t, s)
}
