package plugins_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/construct-server/infra/sim/plugins"
	// The programs below testdata use it, where go mod tidy does not look.
	_ "github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
	"github.com/stretchr/testify/require"
)

// engine drives the real Pulumi CLI over a copy of nothing: the program is
// built from testdata, the state lives in a temporary directory.
type engine struct {
	t    *testing.T
	cli  string
	dir  string
	env  []string
	last string // what the CLI printed last
}

var home struct {
	once sync.Once
	dir  string
	err  error
}

// pulumiCLI finds the CLI: PULUMI_BIN, or the one that `make` built.
func pulumiCLI(t *testing.T) string {
	t.Helper()
	cli := os.Getenv("PULUMI_BIN")
	if cli == "" {
		cli = filepath.Join("..", "..", ".tools", "bin", "pulumi")
	}
	cli, err := filepath.Abs(cli)
	require.NoError(t, err)
	if _, err := os.Stat(cli); err != nil {
		t.Skipf("no Pulumi CLI at %s (set PULUMI_BIN, or build the tools)", cli)
	}
	return cli
}

// newEngine prepares a stack of the program testdata/<program>.
func newEngine(t *testing.T, program string, env ...string) *engine {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the Pulumi engine")
	}
	cli := pulumiCLI(t)
	home.once.Do(func() {
		if home.dir, home.err = os.MkdirTemp("", "csim-pulumi-home-"); home.err == nil { //nolint:usetesting // t.TempDir ends with the first of the tests that share it
			_, home.err = plugins.Install(t.Context(), home.dir, plugins.Options{UserHome: home.dir})
		}
	})
	require.NoError(t, home.err)
	temp := t.TempDir()
	e := &engine{t: t, cli: cli, dir: filepath.Join(temp, "project")}
	require.NoError(t, os.CopyFS(e.dir, os.DirFS(filepath.Join("testdata", program))))
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(e.dir, "program"), "./testdata/"+program)
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	project := "name: " + program + "-under-test\nruntime:\n  name: go\n  options:\n    binary: program\n"
	require.NoError(t, os.WriteFile(filepath.Join(e.dir, "Pulumi.yaml"), []byte(project), 0o600))
	state := filepath.Join(temp, "state")
	require.NoError(t, os.Mkdir(state, 0o700))
	e.env = append(os.Environ(), plugins.Env(home.dir)...)
	e.env = append(e.env, "PULUMI_BACKEND_URL=file://"+state, "PULUMI_CONFIG_PASSPHRASE=test", "CONSTRUCT_SIM_POLL=20ms")
	e.env = append(e.env, env...)
	e.run("stack", "init", "test")
	return e
}

func TestMain(m *testing.M) {
	code := m.Run()
	if home.dir != "" {
		_ = os.RemoveAll(home.dir)
	}
	os.Exit(code)
}

func (e *engine) try(args ...string) (string, error) {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.t.Context()), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, e.cli, append([]string{"--non-interactive", "--color=never"}, args...)...)
	cmd.Dir, cmd.Env = e.dir, e.env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	e.last = stdout.String() + stderr.String()
	if strings.Contains(stdout.String(), `"sequence":`) {
		e.last = diagnostics(stdout.String()) + stderr.String()
	}
	return stdout.String(), err
}

// diagnostics are the messages among the events of a --json run.
func diagnostics(events string) string {
	var b strings.Builder
	for line := range strings.Lines(events) {
		var event struct {
			Diagnostic *struct {
				URN, Message, Severity string
			} `json:"diagnosticEvent"`
		}
		if json.Unmarshal([]byte(line), &event) == nil && event.Diagnostic != nil {
			d := event.Diagnostic
			b.WriteString(d.Severity + " " + d.URN + ": " + d.Message)
		}
	}
	return b.String()
}

func (e *engine) run(args ...string) string {
	e.t.Helper()
	out, err := e.try(args...)
	require.NoError(e.t, err, "pulumi %s\n%s", strings.Join(args, " "), e.last)
	return out
}

// configure sets plain and secret values ("key=value") in one go.
func (e *engine) configure(plain, secret []string) {
	e.t.Helper()
	args := []string{"config", "set-all"}
	for _, pair := range plain {
		args = append(args, "--plaintext", pair)
	}
	for _, pair := range secret {
		args = append(args, "--secret", pair)
	}
	e.run(args...)
}

// up runs `pulumi up` and returns the operations by kind ("create", "update",
// "replace", "same", "delete"), the stack itself left out.
func (e *engine) up() map[string]int {
	e.t.Helper()
	return e.changes(e.run("up", "--yes", "--json", "--skip-preview"))
}

func (e *engine) preview() map[string]int {
	e.t.Helper()
	return e.changes(e.run("preview", "--json"))
}

// changes reads the summary of a --json run: the one object of a preview, or
// the summary event among an update's lines.
func (e *engine) changes(out string) map[string]int {
	e.t.Helper()
	type summary struct {
		ChangeSummary   map[string]int `json:"changeSummary"`
		ResourceChanges map[string]int `json:"resourceChanges"`
		SummaryEvent    *struct {
			ResourceChanges map[string]int `json:"resourceChanges"`
		} `json:"summaryEvent"`
	}
	decoder := json.NewDecoder(strings.NewReader(out))
	found := map[string]int{}
	for {
		var s summary
		if err := decoder.Decode(&s); err != nil {
			break
		}
		for _, m := range []map[string]int{s.ChangeSummary, s.ResourceChanges} {
			if m != nil {
				found = m
			}
		}
		if s.SummaryEvent != nil {
			found = s.SummaryEvent.ResourceChanges
		}
	}
	return found
}
