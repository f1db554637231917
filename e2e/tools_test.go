package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// workshop is a checkout with nothing but tools/build.sh, on a machine whose
// compiler builds nothing and pins Pulumi v3.200.0.
type workshop struct {
	t         *testing.T
	dir       string // the checkout
	compilers string // on PATH, before
	installed string // on PATH
}

func newWorkshop(t *testing.T) *workshop {
	t.Helper()
	w := &workshop{t: t, dir: t.TempDir(), compilers: t.TempDir(), installed: t.TempDir()}
	script, err := os.ReadFile("../tools/build.sh")
	require.NoError(t, err)
	w.program(filepath.Join(w.dir, "tools", "build.sh"), string(script))
	w.program(filepath.Join(w.compilers, "go"), `#!/bin/sh
case $1 in
list) echo v3.200.0 ;;
build) printf '#!/bin/sh\necho built\n' >"$3" && chmod +x "$3" ;;
esac
`)
	return w
}

func (w *workshop) program(path, text string) {
	w.t.Helper()
	require.NoError(w.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(w.t, os.WriteFile(path, []byte(text), 0o755)) //nolint:gosec // a program
}

// install puts an official Pulumi of a version on PATH, or takes it away.
func (w *workshop) install(version string) {
	w.t.Helper()
	path := filepath.Join(w.installed, "pulumi")
	if version == "" {
		require.NoError(w.t, os.RemoveAll(path))
		return
	}
	w.program(path, "#!/bin/sh\necho "+version+"\n")
}

// build runs the script and returns what the resulting pulumi says it is. As
// for make, the directory of the tools is on PATH.
func (w *workshop) build() string {
	w.t.Helper()
	bin := filepath.Join(w.dir, ".tools", "bin")
	env := []string{"PATH=" + bin + ":" + w.compilers + ":" + w.installed + ":/usr/bin:/bin"}
	cmd := exec.CommandContext(w.t.Context(), "bash", filepath.Join(w.dir, "tools", "build.sh"), "pulumi")
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	require.NoError(w.t, err, "%s", out)
	said, err := exec.CommandContext(w.t.Context(), filepath.Join(bin, "pulumi"), "version").Output()
	require.NoError(w.t, err, "%s", out)
	return string(said)
}

// TestInstalledPulumi lets installed versions come and go.
func TestInstalledPulumi(t *testing.T) {
	t.Parallel()
	for name, versions := range map[string][]struct{ installed, used string }{
		"none":               {{"", "built\n"}, {"", "built\n"}},
		"the same":           {{"v3.200.0", "v3.200.0\n"}, {"v3.200.0", "v3.200.0\n"}},
		"newer":              {{"v3.201.0", "v3.201.0\n"}},
		"newer by a number":  {{"v3.1000.0", "v3.1000.0\n"}},
		"older":              {{"v3.199.9", "built\n"}},
		"older by a number":  {{"v3.99.0", "built\n"}},
		"installed later":    {{"", "built\n"}, {"v3.201.0", "v3.201.0\n"}},
		"goes back":          {{"", "built\n"}, {"v3.201.0", "v3.201.0\n"}, {"v3.100.0", "built\n"}},
		"is taken away":      {{"v3.201.0", "v3.201.0\n"}, {"", "built\n"}},
		"older, then newer":  {{"v3.100.0", "built\n"}, {"v3.201.0", "v3.201.0\n"}},
		"built, taken, away": {{"", "built\n"}, {"v3.201.0", "v3.201.0\n"}, {"", "built\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorkshop(t)
			for _, v := range versions {
				w.install(v.installed)
				assert.Equal(t, v.used, w.build())
			}
			official, err := os.ReadFile(filepath.Join(w.installed, "pulumi"))
			assert.True(t, err != nil || string(official) == "#!/bin/sh\necho "+versions[len(versions)-1].installed+"\n", "the installed one was written to")
		})
	}
}
