package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stored looks at what is kept: the state, its history and its backups, and
// the CLI's own log files.
func (r *canaryRun) stored(t *testing.T) {
	t.Helper()
	for _, pair := range r.Engine.Env() {
		name, value, _ := strings.Cut(pair, "=")
		switch name {
		case "PULUMI_BACKEND_URL":
			dir, _, _ := strings.Cut(strings.TrimPrefix(value, "file://"), "?")
			assert.GreaterOrEqual(t, r.scan(t, "the state", dir), 5)
		case "PULUMI_HOME":
			r.scan(t, "the CLI's log", filepath.Join(value, "logs"))
		}
	}
	r.scan(t, "the project", r.WorkDir())
	git, err := os.ReadFile(filepath.Join(r.dir, "git"))
	require.NoError(t, err, "the program did not run git")
	r.find.absent(t, "git's arguments and environment", string(git))
}

// scan looks at every file below a directory that was written since the
// test began, and counts them.
func (r *canaryRun) scan(t *testing.T, what, dir string) int {
	t.Helper()
	count := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil //nolint:nilerr // gone, or never there
		}
		if info, err := entry.Info(); err != nil || info.ModTime().Before(r.started) {
			return nil //nolint:nilerr // gone
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil //nolint:nilerr // gone
		}
		count++
		r.find.absent(t, what+", "+path, string(content))
		return nil
	})
	require.NoError(t, err)
	return count
}

// sent looks at every request to the cloud. A server's own host key is in its
// user data, and nowhere else.
func (r *canaryRun) sent(t *testing.T) {
	t.Helper()
	requests, created := r.wire.asked(), 0
	for _, request := range requests {
		r.find.absent(t, "a request to the cloud", request.line)
		for _, what := range r.find.in(request.body) {
			role, isHostKey := strings.CutPrefix(what, hostKeyOf(""))
			role, _, _ = strings.Cut(role, " in its file")
			role, _, _ = strings.Cut(role, ", ")
			if isHostKey && strings.HasPrefix(request.line, "POST ") && strings.Contains(request.body, `"construct-test-`+role+`-1"`) {
				created++
				continue
			}
			assert.Fail(t, "leak", "%s holds a secret: %s", request.line, what)
		}
	}
	assert.GreaterOrEqual(t, created, len(servers), "no server was told its host key")
}

// commands looks at the commands that were run on the hosts.
func (r *canaryRun) commands(t *testing.T) {
	t.Helper()
	all := commands(t, r.Lab)
	assert.Len(t, all.Hosts, len(servers))
	for host, list := range all.Hosts {
		assert.NotEmpty(t, list, host)
		for _, command := range list {
			r.find.absent(t, "a command on "+host, command.Text)
		}
	}
}
