package e2e

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/e2e/lab"
)

// states has one directory for each release of the program whose deployments
// must live on, with a state and a stack file for each cloud.
const states = "testdata/states"

var record = flag.String("record-state", "", "deploy, and keep the state under this release's name in "+states)

// TestUpgrade previews, with the program as it is, what earlier releases of it
// deployed. Whatever is in the cloud must stay: a renamed resource without an
// alias is a server that is replaced, with all that it holds.
func TestUpgrade(t *testing.T) {
	if testing.Short() {
		t.Skip("short: runs the engine once a state")
	}
	for _, cloud := range clouds {
		if *record != "" {
			t.Run("record "+string(cloud), func(t *testing.T) { keep(t, cloud, filepath.Join(states, *record)) })
		}
	}
	for _, cloud := range clouds {
		recorded, err := filepath.Glob(filepath.Join(states, "*", string(cloud)+".json"))
		require.NoError(t, err)
		require.NotEmpty(t, recorded)
		for _, file := range recorded {
			t.Run(strings.TrimPrefix(file, states), func(t *testing.T) {
				t.Parallel()
				l := startDry(t, cloud)
				restore(t, l, file)
				ops := plannedOps(t, l)
				for urn := range inCloud(t, file) {
					assert.Contains(t, []apitype.OpType{apitype.OpSame, apitype.OpUpdate}, ops[urn], "%s", urn)
				}
			})
		}
	}
}

// plannedOps previews, and returns each resource's step.
func plannedOps(t *testing.T, l *lab.Lab) map[string]apitype.OpType {
	t.Helper()
	stream, ops, done := make(chan events.EngineEvent), map[string]apitype.OpType{}, make(chan struct{})
	go func() {
		defer close(done)
		for e := range stream {
			if e.ResourcePreEvent != nil {
				ops[e.ResourcePreEvent.Metadata.URN] = e.ResourcePreEvent.Metadata.Op
			}
		}
	}()
	_, err := l.Stack.Preview(t.Context(), optpreview.EventStreams(stream))
	<-done
	require.NoError(t, err)
	return ops
}

// ofCloud tells the clouds' resources, by type, from what only the state has.
func ofCloud(kind string) bool {
	return strings.HasPrefix(kind, "digitalocean:") || strings.HasPrefix(kind, "hcloud:")
}

// inCloud are the URNs of a recorded state's resources in the cloud.
func inCloud(t *testing.T, file string) map[string]bool {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var state struct {
		Deployment struct{ Resources []struct{ URN, Type string } }
	}
	require.NoError(t, json.Unmarshal(data, &state))
	urns := map[string]bool{}
	for _, r := range state.Deployment.Resources {
		if ofCloud(r.Type) {
			urns[r.URN] = true
		}
	}
	require.Greater(t, len(urns), 20)
	return urns
}

// restore makes a recorded state and its stack file the lab's.
func restore(t *testing.T, l *lab.Lab, file string) {
	t.Helper()
	data, err := os.ReadFile(strings.TrimSuffix(file, ".json") + ".yaml")
	require.NoError(t, err)
	var stack struct {
		Salt   string         `yaml:"encryptionsalt"`
		Config map[string]any `yaml:"config"`
	}
	require.NoError(t, yaml.Unmarshal(data, &stack))
	at := l.Sim.Info()
	stack.Config["digitalocean:apiEndpoint"], stack.Config["hcloud:endpoint"] = at.DigitalOcean, at.Hetzner
	data, err = yaml.Marshal(map[string]any{"encryptionsalt": stack.Salt, "config": stack.Config})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(lab.StackPath(l.WorkDir(), "test"), data, 0o600))
	data, err = os.ReadFile(file)
	require.NoError(t, err)
	var state apitype.UntypedDeployment
	require.NoError(t, json.Unmarshal(data, &state))
	require.NoError(t, l.Stack.Import(t.Context(), state))
}

// keep deploys and writes down what there is of it in the cloud. Commands and
// releases are left out: they may change with every release of the program.
func keep(t *testing.T, cloud config.Cloud, dir string) {
	t.Helper()
	l := startDry(t, cloud)
	ssh := map[string]any{}
	for key, value := range l.Settings["construct:ssh"].(map[string]any) {
		ssh[key] = value
	}
	up(t, l)
	delete(ssh, "privateKeyPath") // of this machine; a preview needs none
	state, err := l.Stack.Export(t.Context())
	require.NoError(t, err)
	stack := filepath.Join(dir, string(cloud))
	require.NoError(t, os.MkdirAll(dir, 0o755))
	data, err := os.ReadFile(lab.StackPath(l.WorkDir(), "test"))
	require.NoError(t, err)
	var file map[string]any
	require.NoError(t, yaml.Unmarshal(data, &file))
	settings := file["config"].(map[string]any)
	settings["construct:ssh"] = ssh
	settings["digitalocean:apiEndpoint"], settings["hcloud:endpoint"] = "http://127.0.0.1", "http://127.0.0.1/v1"
	data, err = yaml.Marshal(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(stack+".yaml", data, 0o644))

	var deployment map[string]any
	require.NoError(t, json.Unmarshal(state.Deployment, &deployment))
	deployment["resources"] = slices.DeleteFunc(deployment["resources"].([]any), func(entry any) bool {
		kind := entry.(map[string]any)["type"].(string)
		return !ofCloud(kind) && !strings.HasPrefix(kind, "pulumi:pulumi:Stack") && !strings.HasPrefix(kind, "pulumi:providers:") &&
			!strings.HasPrefix(kind, "construct:roles:") && !strings.HasPrefix(kind, "construct:network:") && !strings.HasPrefix(kind, "construct:firewall:")
	})
	for _, entry := range deployment["resources"].([]any) {
		delete(entry.(map[string]any), "sourcePosition")
		delete(entry.(map[string]any), "stackTrace")
	}
	state.Deployment, err = json.Marshal(deployment)
	require.NoError(t, err)
	data, err = json.Marshal(state)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(stack+".json", append(data, '\n'), 0o644))
	destroy(t, l)
}
