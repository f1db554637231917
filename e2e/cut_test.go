package e2e

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim/control"
)

// TestCutConnection cuts the SSH connection of a step that is under way: of a
// set-up in a first up, and of a release in an update. The provider does not run
// a command again whose end it did not hear, since it cannot know what the
// command was: the up fails, names host and step, and the next one ends as if
// nothing had been.
func TestCutConnection(t *testing.T) {
	if testing.Short() {
		t.Skip("short: runs the engine ten times a cloud")
	}
	for _, cloud := range clouds {
		t.Run(string(cloud), func(t *testing.T) {
			t.Parallel()
			l := startDry(t, cloud)
			first := l.Settings
			update := first.With("construct:release", map[string]any{
				"repository": "ghcr.io/construct-server/construct-server", "tag": "0.7.1",
			})
			up(t, l)
			require.NoError(t, l.Configure(t.Context(), update))
			up(t, l)
			want := picture(t, l, control.Commands{})
			destroy(t, l)
			before := commands(t, l)

			require.NoError(t, l.Configure(t.Context(), first))
			said := cut(t, l, "app-1", "set up construct-test-app-1")
			assert.Contains(t, said, "app-1-setup")
			assert.False(t, since(t, l, before, "app-1", "construct-release apply"), "a host was released on whose set-up nobody heard the end of")
			up(t, l)

			require.NoError(t, l.Configure(t.Context(), update))
			said = cut(t, l, "message-1", "construct-release apply")
			assert.Contains(t, said, "message-1-release")
			up(t, l)

			assert.Equal(t, []string{"same"}, kinds(up(t, l)), "an up after the last one changed something")
			_, err := l.Stack.Refresh(t.Context(), optrefresh.ExpectNoChanges())
			require.NoError(t, err, "the cloud is not as the state says")
			assert.Len(t, machines(t, l, cloud), 5)
			assert.Equal(t, want, picture(t, l, before), "cut connections lead elsewhere than whole ones")
			destroy(t, l)
		})
	}
}

// cut runs an up in which a host's command loses its connection once, half a
// second after it has begun, and returns what the up said. The command itself
// must have been carried out: on a host it is a unit by then.
func cut(t *testing.T, l *lab.Lab, host, command string) string {
	t.Helper()
	before := commands(t, l)
	require.NoError(t, l.Control.Post(t.Context(), "/faults", control.Fault{
		Kind: control.CutSSH, Host: "construct-test-" + host, Command: command, DelayMS: 500, Times: 1,
	}, nil))
	said := upFails(t.Context(), t, l.Stack)
	assert.Contains(t, said, "construct-test-"+host, "the host is not named")
	assert.Contains(t, said, "without exit status", "it failed of something else")
	var list struct{ Faults []control.Fault }
	require.NoError(t, l.Control.Get(t.Context(), "/faults", &list))
	require.Equal(t, 1, list.Faults[0].Struck)
	assert.True(t, since(t, l, before, host, command), "the command ended with its connection")
	require.NoError(t, l.Control.Delete(t.Context(), "/faults"))
	return said
}

// since tells whether a host carried out a command after before.
func since(t *testing.T, l *lab.Lab, before control.Commands, host, command string) bool {
	t.Helper()
	name := "construct-test-" + host
	for _, c := range commands(t, l).Hosts[name][len(before.Hosts[name]):] {
		if c.Exit == 0 && strings.Contains(c.Text, command) {
			return true
		}
	}
	return false
}
