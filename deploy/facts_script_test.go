package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// facts is what construct-release facts prints, lines by their first word.
func (h *target) facts() map[string][]string {
	h.t.Helper()
	out, errOut, ok := h.run("", "facts")
	require.True(h.t, ok, errOut)
	lines := map[string][]string{}
	for line := range strings.Lines(out) {
		word, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		lines[word] = append(lines[word], rest)
	}
	return lines
}

func TestFacts(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	require.NoError(t, os.MkdirAll(filepath.Join(h.root, "srv/construct"), 0o755))
	assert.Equal(t, []string{"none"}, h.facts()["release"])

	_, errOut, ok := h.apply(bundle{digest: "aa", config: "c1", web: wellWeb})
	require.True(t, ok, errOut)
	_, _, ok = h.apply(bundle{digest: "bb", config: "c2", web: "# fake web exited 3 0 none\n"})
	require.False(t, ok)
	found := h.facts()
	assert.Equal(t, []string{"1"}, found["format"])
	assert.Equal(t, []string{"construct-test-db-1"}, found["host"])
	assert.Equal(t, []string{"aa"}, found["release"])
	assert.Equal(t, []string{"data example.com/data:1 - stateful", "web example.com/web:aa c1 stateless"}, found["service"])
	assert.Equal(t, []string{"data hash-data sha256:data", "web hash-web sha256:web"}, found["started"])
	assert.ElementsMatch(t, []string{
		"web running healthy 0 0 false id-web sha256:web example.com/web:1 hash-web",
		"data running none 0 0 false id-data sha256:data example.com/data:1 hash-data",
	}, found["container"])
	assert.Equal(t, []string{"sha256:data example.com/app@sha256:data", "sha256:web example.com/app@sha256:web"}, found["image"])
	assert.Equal(t, []string{"/srv/construct mounted"}, found["mount"])
	require.Len(t, found["deployed"], 1)
	assert.Regexp(t, "Z\talice\tapply\taa\t-\tok$", found["deployed"][0])
	assert.Regexp(t, "Z\talice\trestore\taa\t-\tok$", found["last"][0])
	require.NotEmpty(t, found["disk"])
	assert.Regexp(t, `^/\S* \d+ \d+$`, found["disk"][0])
	assert.NotContains(t, found, "lock")
	assert.NotContains(t, found, "docker")
	for _, lines := range found {
		assert.NotContains(t, strings.Join(lines, "\n"), "s3cret")
	}
}

func TestFactsWhenDockerDoesNotAnswer(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	_, errOut, ok := h.apply(bundle{digest: "aa", config: "c1", web: wellWeb})
	require.True(t, ok, errOut)
	require.NoError(t, os.WriteFile(filepath.Join(h.fake, "silent"), nil, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(h.fake, "unmounted"), nil, 0o600))
	found := h.facts()
	assert.Equal(t, []string{"silent"}, found["docker"])
	assert.Equal(t, []string{"/srv/construct missing"}, found["mount"])
	assert.NotContains(t, found, "container")
}

// What the kernel filters by is compared, not what a file says.
func TestFirewallTellsWhatIsLoaded(t *testing.T) {
	t.Parallel()
	f := newFiltered(t)
	loaded := func() string {
		out, err := f.command(t.Context(), "", "loaded").Output()
		require.NoError(t, err)
		return strings.TrimSpace(string(out))
	}
	nft := func(args ...string) {
		out, err := exec.CommandContext(t.Context(), "nft", args...).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	assert.Equal(t, "- absent", loaded())
	rules := ruleset(f.server.Port)
	_, errs, ok := f.apply(rules)
	require.True(t, ok, errs)
	assert.Equal(t, digest([]byte(rules))+" loaded", loaded())
	nft("add", "rule", "inet", "construct", "from_outside", "tcp", "dport", "5432", "accept")
	assert.Equal(t, digest([]byte(rules))+" altered", loaded())
	nft("delete", "table", "inet", "construct")
	assert.Equal(t, digest([]byte(rules))+" absent", loaded())
}
