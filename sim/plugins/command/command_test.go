package command_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/sim/plugins/command"
	"github.com/construct-server/infra/sim/plugins/provider"
)

func newServer(t *testing.T) plugin.Provider {
	t.Helper()
	s, err := provider.NewServer(command.New(), "")
	require.NoError(t, err)
	return s
}

func urn(token string) resource.URN { return resource.URN("urn:pulumi:s::p::" + token + "::c") }

// checked passes inputs through Check, as the engine does.
func checked(t *testing.T, s plugin.Provider, token string, in resource.PropertyMap) resource.PropertyMap {
	t.Helper()
	resp, err := s.Check(t.Context(), plugin.CheckRequest{URN: urn(token), News: in})
	require.NoError(t, err)
	require.Empty(t, resp.Failures)
	return resp.Properties
}

const remote = "command:remote:Command"

func TestThroughProxy(t *testing.T) {
	t.Parallel()
	user := newKeys(t)
	bastion, target := newHost(t, user), newHost(t, user)
	connection := target.connection(user)
	connection["proxy"] = bastion.connection(user)
	s := newServer(t)
	in := checked(t, s, remote, resource.NewPropertyMapFromMap(map[string]any{
		"create": "hello", "stdin": "input", "connection": connection,
	}))
	require.True(t, in["connection"].IsSecret())
	resp, err := s.Create(t.Context(), plugin.CreateRequest{URN: urn(remote), Properties: in})
	require.NoError(t, err)
	require.Equal(t, []string{"hello<input>"}, target.ran)
	require.Len(t, bastion.through, 1)
	require.Empty(t, bastion.ran)
	require.Equal(t, "out of hello", resp.Properties["stdout"].StringValue())
	require.Equal(t, "err of hello", resp.Properties["stderr"].StringValue())
	require.True(t, resp.Properties["connection"].IsSecret())
}

func TestHostKeysArePinned(t *testing.T) {
	t.Parallel()
	user := newKeys(t)
	for name, wrong := range map[string]func(target, proxy map[string]any){
		"target": func(target, _ map[string]any) { target["hostKey"] = newKeys(t).public },
		"proxy":  func(_, proxy map[string]any) { proxy["hostKey"] = newKeys(t).public },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bastion, target := newHost(t, user), newHost(t, user)
			connection, proxy := target.connection(user), bastion.connection(user)
			wrong(connection, proxy)
			connection["proxy"] = proxy
			s := newServer(t)
			_, err := s.Create(t.Context(), plugin.CreateRequest{
				URN: urn(remote), Properties: resource.NewPropertyMapFromMap(map[string]any{
					"create": "hello", "connection": connection,
				}),
			})
			require.ErrorContains(t, err, "proxy: after 1 failed attempts: ssh: handshake failed")
			require.Empty(t, target.ran)
		})
	}
}

func TestFailureQuotesCommandAndOutput(t *testing.T) {
	t.Parallel()
	user := newKeys(t)
	h := newHost(t, user)
	_, err := newServer(t).Create(t.Context(), plugin.CreateRequest{
		URN: urn(remote), Properties: resource.NewPropertyMapFromMap(map[string]any{
			"create": "exit 4", "connection": h.connection(user),
		}),
	})
	require.ErrorContains(t, err, `Process exited with status 4: running "exit 4":`+"\n")
	require.ErrorContains(t, err, "out of exit 4")
	require.ErrorContains(t, err, "err of exit 4")
}

func TestUpdateRunsUpdateOrCreate(t *testing.T) {
	t.Parallel()
	user := newKeys(t)
	for name, c := range map[string]struct {
		in   map[string]any
		want []string
		env  []string
	}{
		"update": {
			in:   map[string]any{"create": "c", "update": "u"},
			want: []string{"u<>"}, env: []string{"PULUMI_COMMAND_STDOUT=before"},
		},
		"create": {in: map[string]any{"create": "c"}, want: []string{"c<>"}, env: []string{"PULUMI_COMMAND_STDOUT=before"}},
		"nothing": {
			in: map[string]any{"delete": "d"},
		},
		"without previous output": {
			in:   map[string]any{"update": "u", "addPreviousOutputInEnv": false, "environment": map[string]any{"A": "b"}},
			want: []string{"u<>"}, env: []string{"A=b"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, user)
			c.in["connection"] = h.connection(user)
			_, err := newServer(t).Update(t.Context(), plugin.UpdateRequest{
				URN: urn(remote), ID: "1",
				OldOutputs: resource.NewPropertyMapFromMap(map[string]any{"stdout": "before"}),
				NewInputs:  resource.NewPropertyMapFromMap(c.in),
			})
			require.NoError(t, err)
			require.Equal(t, c.want, h.ran)
			require.Equal(t, c.env, h.env)
		})
	}
}

func TestCopyToRemote(t *testing.T) {
	t.Parallel()
	user := newKeys(t)
	h := newHost(t, user)
	local, dest := t.TempDir(), t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(local, "sub"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(local, "a"), []byte("A"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(local, "sub", "b"), []byte("B"), 0o600))
	archive, err := resource.NewPathArchive(local)
	require.NoError(t, err)
	asset, err := resource.NewTextAsset("text")
	require.NoError(t, err)
	for to, source := range map[string]resource.PropertyValue{
		"tree": resource.NewArchiveProperty(archive), "file": resource.NewAssetProperty(asset),
	} {
		in := resource.NewPropertyMapFromMap(map[string]any{
			"connection": h.connection(user), "remotePath": filepath.Join(dest, to),
		})
		in["source"] = source
		_, err := newServer(t).Create(t.Context(), plugin.CreateRequest{
			URN: urn("command:remote:CopyToRemote"), Properties: in,
		})
		require.NoError(t, err)
	}
	require.Equal(t, map[string]string{"file": "text", "tree/a": "A", "tree/sub/b": "B"}, readTree(t, dest))
}

func TestLocalCommand(t *testing.T) {
	t.Parallel()
	const token = "command:local:Command"
	resp, err := newServer(t).Create(t.Context(), plugin.CreateRequest{
		URN: urn(token), Properties: resource.NewPropertyMapFromMap(map[string]any{
			"create": "cat; echo $NAME; echo oops >&2", "stdin": "in-", "environment": map[string]any{"NAME": "n"},
		}),
	})
	require.NoError(t, err)
	require.Equal(t, "in-n", resp.Properties["stdout"].StringValue())
	require.Equal(t, "oops", resp.Properties["stderr"].StringValue())
}
