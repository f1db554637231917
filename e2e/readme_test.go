package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim/control"
)

// operator is a person with a checkout who does what the README says, on a
// simulated cloud that serves at its own endpoints.
type operator struct {
	t       *testing.T
	dir     string // the project
	env     []string
	info    control.Info
	control lab.Control
}

// TestReadmeInProduction types the production blocks of the README, and its
// words about a new release. Besides what they say it only tells Pulumi where
// the simulated cloud is.
func TestReadmeInProduction(t *testing.T) {
	if testing.Short() {
		t.Skip("short: runs the engine four times a cloud")
	}
	text, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?ms)^\\*\\*([^*\n]+)\\*\\*\n\n```sh\n(.*?)^```").FindAllStringSubmatch(string(text), -1)
	require.Len(t, blocks, len(clouds))
	release := regexp.MustCompile("`(pulumi config set[^`]*)`").FindStringSubmatch(string(text))
	require.NotNil(t, release, "the README does not say how to release")
	for i, cloud := range clouds {
		t.Run(blocks[i][1], func(t *testing.T) {
			t.Parallel()
			o := newOperator(t, cloud)
			script := o.script(blocks[i][2])
			o.types(script)
			var hosts struct{ Hosts []struct{ Name string } }
			require.NoError(t, o.control.Get(t.Context(), "/hosts", &hosts))
			assert.Len(t, hosts.Hosts, 5)

			before := o.commands()
			exports := regexp.MustCompile(`(?m)^export .*\n`).FindAllString(script, -1) // the shell is another one by now
			o.types(strings.Join(exports, "") + strings.ReplaceAll(release[1], "\n", " ") + "\npulumi up")
			after := o.commands()
			for _, role := range []string{"gateway", "app", "message", "media"} {
				name := "construct-prod-" + role + "-1"
				assert.Greater(t, len(after.Hosts[name]), len(before.Hosts[name]), "%s was not updated", name)
			}
			const db = "construct-prod-db-1" // the only server without a Construct service
			require.NotEmpty(t, before.Hosts[db])
			asked := after.Hosts[db][len(before.Hosts[db]):]
			assert.Len(t, asked, 2, "%s was touched by a release", db)
			for _, c := range asked { // whether it lets the new version in, and what that knows
				assert.Contains(t, c.Text, "construct-schema ", "%s was touched by a release", db)
			}
		})
	}
}

// script is a block of the README, with what only its reader can know: the
// token, and the endpoints, once there is a stack to set them in.
func (o *operator) script(block string) string {
	o.t.Helper()
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(block, "\\\n", " ")), "\n")
	require.Equal(o.t, "make build", lines[0]) // which has been done: it comes before every test
	var out []string
	for _, line := range lines[1:] {
		out = append(out, strings.ReplaceAll(line, "…", strings.Repeat("0", 64)))
		if strings.Contains(line, "construct init") {
			out = append(out, "pulumi config set digitalocean:apiEndpoint "+o.info.DigitalOcean,
				"pulumi config set hcloud:endpoint "+o.info.Hetzner,
				"pulumi config set --path construct:ssh.port 2222")
		}
	}
	script := strings.Join(out, "\n")
	require.Contains(o.t, script, "apiEndpoint", "the block makes no stack")
	require.Contains(o.t, script, "\npulumi up", "the block deploys nothing")
	return script
}

// types runs lines in the project, as at a prompt: the next one when the one
// before went well.
func (o *operator) types(script string) {
	o.t.Helper()
	cmd := exec.CommandContext(o.t.Context(), "bash", "-e", "-c", script)
	cmd.Dir, cmd.Env = o.dir, o.env
	out, err := cmd.CombinedOutput()
	require.NoError(o.t, err, "%s\n%s", script, out)
	o.t.Logf("%s\n%s", script, out)
}

func (o *operator) commands() control.Commands {
	o.t.Helper()
	var c control.Commands
	require.NoError(o.t, o.control.Get(o.t.Context(), "/commands", &c))
	return c
}

// newOperator is somebody with an SSH key, a Pulumi that keeps its state in
// files, and `construct sim serve` running beside.
func newOperator(t *testing.T, cloud config.Cloud) *operator {
	t.Helper()
	checkout, home := root(t), t.TempDir()
	o := &operator{t: t, dir: filepath.Join(t.TempDir(), "infra")}
	tools := filepath.Join(checkout, ".tools")
	require.NoError(t, lab.WriteProject(checkout, o.dir, filepath.Join(tools, "bin", "program")))
	require.NoError(t, os.Symlink(tools, filepath.Join(o.dir, ".tools")))
	require.NoError(t, os.Mkdir(filepath.Join(home, ".ssh"), 0o700))
	keygen := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", string(cloud), "-f", filepath.Join(home, ".ssh", "id_ed25519"))
	out, err := keygen.CombinedOutput()
	require.NoError(t, err, "%s", out)
	engine, err := lab.NewEngine(t.Context(), checkout, t.TempDir(), logWriter{t})
	require.NoError(t, err)
	// A person says yes at a terminal.
	o.env = append(engine.Env(), "HOME="+home, "PULUMI_SKIP_CONFIRMATIONS=true")
	o.serve(filepath.Join(home, "info.json"))
	return o
}

func (o *operator) serve(infoPath string) {
	o.t.Helper()
	cmd := exec.Command(".tools/bin/construct", "sim", "serve", "--hosts", "dry", "--info", infoPath) // not with the context: it is told to end, and cleans up
	cmd.Dir, cmd.Stdout, cmd.Stderr = o.dir, logWriter{o.t}, logWriter{o.t}
	require.NoError(o.t, cmd.Start())
	o.t.Cleanup(func() {
		assert.NoError(o.t, cmd.Process.Signal(syscall.SIGTERM))
		assert.NoError(o.t, cmd.Wait())
	})
	require.Eventually(o.t, func() bool {
		data, err := os.ReadFile(infoPath)
		return err == nil && json.Unmarshal(data, &o.info) == nil
	}, time.Minute, 100*time.Millisecond)
	o.control = lab.Control{Base: o.info.Control}
}
