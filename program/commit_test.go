package program

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const hashOfCI = "0123456789abcdef0123456789abcdef01234567"

// checkout is a directory with one commit of one file.
func checkout(t *testing.T) (dir string, git func(...string) string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	dir = t.TempDir()
	git = func(args ...string) string {
		t.Helper()
		command := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
		command.Dir = dir
		out, err := command.CombinedOutput()
		require.NoError(t, err, "git %v: %s", args, out)
		return strings.TrimSpace(string(out))
	}
	git("init", "--quiet")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte("name: construct\n"), 0o600))
	git("add", "Pulumi.yaml")
	git("commit", "--quiet", "--message", "one")
	return dir, git
}

func TestCommit(t *testing.T) {
	t.Parallel()
	dir, git := checkout(t)
	head := git("rev-parse", "HEAD")[:commitDigits]
	inCI := func(name string) string { return map[string]string{"GITHUB_SHA": hashOfCI}[name] }

	assert.Equal(t, head, commit(t.Context(), dir, inCI), "a checkout knows better than CI's variables")
	git("tag", "--annotate", "v1.0.0", "--message", "v1.0.0")
	assert.Equal(t, head, commit(t.Context(), dir, inCI), "a tag is no commit")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.prod.yaml"), nil, 0o600))
	assert.Equal(t, head, commit(t.Context(), dir, inCI), "the stack's own file need not be committed")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte("name: changed\n"), 0o600))
	assert.Equal(t, head+"-dirty", commit(t.Context(), dir, inCI))
}

func TestCommitWithoutACheckout(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		variables map[string]string
		want      string
	}{
		"by hand":           {nil, ""},
		"GitHub":            {map[string]string{"GITHUB_SHA": hashOfCI}, "0123456789ab"},
		"GitLab":            {map[string]string{"CI_COMMIT_SHA": hashOfCI}, "0123456789ab"},
		"something else":    {map[string]string{"GITHUB_SHA": "main; reboot"}, ""},
		"a SHA-256 commit":  {map[string]string{"GITHUB_SHA": strings.Repeat("0123456789abcdef", 4)}, "0123456789ab"},
		"a name of nothing": {map[string]string{"GITHUB_SHA": ""}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := commit(t.Context(), t.TempDir(), func(key string) string { return c.variables[key] })
			assert.Equal(t, c.want, got)
		})
	}
}

// What the engine gives the program, the whole configuration among it, is for
// the program alone.
func TestGitGetsNoSecrets(t *testing.T) {
	t.Parallel()
	got := gitEnvironment([]string{
		"PATH=/bin", "PULUMI_CONFIG={}", "PULUMI_CONFIG_PASSPHRASE=p", "HCLOUD_TOKEN=t", "HOME=/home/alice", "GIT_CONFIG_COUNT=0",
	})
	assert.Equal(t, []string{"PATH=/bin", "HOME=/home/alice", "GIT_CONFIG_COUNT=0"}, got)
}
