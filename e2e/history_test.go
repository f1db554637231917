package e2e

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/e2e/lab"
)

// TestHistoryNamesTheCommit commits between releases: hosts are told the
// commit with the next release, and a commit alone is no reason for one.
func TestHistoryNamesTheCommit(t *testing.T) {
	if testing.Short() {
		t.Skip("short: runs the engine five times")
	}
	if _, err := exec.LookPath("git"); err != nil {
		t.Skipf("git is not installed: %v", err)
	}
	t.Parallel()
	l := startDry(t, config.DigitalOcean)
	git(t, l, "init", "--quiet")
	first := commitAll(t, l)
	up(t, l)
	assert.Equal(t, map[string]string{
		"gateway-1": first, "app-1": first, "db-1": first, "message-1": first, "media-1": first,
	}, releasedFrom(t, l))

	second := commitAll(t, l)
	assert.Equal(t, []string{"same"}, kinds(up(t, l)), "a commit that changes nothing changed something")
	_, err := l.Stack.Refresh(t.Context(), optrefresh.ExpectNoChanges())
	require.NoError(t, err)

	require.NoError(t, l.Configure(t.Context(), l.Settings.With("construct:release", map[string]any{
		"repository": "ghcr.io/construct-server/construct-server", "tag": "0.7.0",
		"overrides": map[string]any{"user-service": map[string]any{"tag": "0.7.1"}},
	})))
	assert.Contains(t, preview(t, l), "--commit "+second+"-dirty", "a preview tells what an up will write")
	up(t, l)
	from := releasedFrom(t, l)
	assert.Equal(t, second+"-dirty", from["app-1"], "the stack file was not committed")
	assert.Equal(t, first, from["db-1"], "the database's bundle is still the first commit's")
	destroy(t, l)
}

// commitAll commits the lab's project, changed or not, and returns the hash
// as the history writes it.
func commitAll(t *testing.T, l *lab.Lab) string {
	t.Helper()
	git(t, l, "add", "--all")
	git(t, l, "commit", "--quiet", "--allow-empty", "--message", "a step")
	return git(t, l, "rev-parse", "--short=12", "HEAD")
}

func git(t *testing.T, l *lab.Lab, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=test", "-c", "user.email=test@example.com"}, args...)...)
	command.Dir = l.WorkDir()
	out, err := command.CombinedOutput()
	require.NoError(t, err, "git %v: %s", args, out)
	return strings.TrimSpace(string(out))
}

var applies = regexp.MustCompile(`construct-release apply .* --commit (\S+)`)

// releasedFrom is the commit of each host's last release.
func releasedFrom(t *testing.T, l *lab.Lab) map[string]string {
	t.Helper()
	from := map[string]string{}
	for name, list := range commands(t, l).Hosts {
		for _, c := range list {
			if found := applies.FindStringSubmatch(c.Text); found != nil {
				from[strings.TrimPrefix(name, "construct-test-")] = found[1]
			}
		}
	}
	return from
}
