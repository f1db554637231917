package lab

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"mvdan.cc/sh/v3/syntax"

	"github.com/construct-server/infra/sim/plugins"
)

// Passphrase encrypts the secrets of simulated stacks, which protect nothing.
const Passphrase = "simulation"

// Engine is an isolated installation of the Pulumi CLI: a home of its own with,
// where the official plugins are missing, the stand-ins, and a file backend.
type Engine struct {
	root string // the checkout
	env  map[string]string
}

// NewEngine prepares an engine that keeps its stacks under dir. The home is
// shared by all engines of a checkout, since it holds nothing but plugins.
func NewEngine(ctx context.Context, root, dir string, log io.Writer) (*Engine, error) {
	home, backend := filepath.Join(root, ".tools", "pulumi-home"), filepath.Join(dir, "backend")
	for _, d := range []string{home, backend} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("prepare the engine: %w", err)
		}
	}
	if err := installPlugins(ctx, root, home, log); err != nil {
		return nil, err
	}
	env := map[string]string{
		// Without its side files, of which a killed engine leaves a cut one
		// that makes the state unreadable.
		"PULUMI_BACKEND_URL":       "file://" + backend + "?metadata=skip",
		"PULUMI_CONFIG_PASSPHRASE": Passphrase,
		"PATH":                     os.Getenv("PATH"),
	}
	for _, pair := range plugins.Env(home) {
		key, value, _ := strings.Cut(pair, "=")
		env[key] = value
	}
	env["PATH"] = filepath.Join(root, ".tools", "bin") + string(os.PathListSeparator) + env["PATH"]
	return &Engine{root: root, env: env}, nil
}

// installed remembers, by home, that this process has installed the plugins:
// engines are prepared side by side, and each look costs the compiler seconds.
var installed = struct { //nolint:gochecknoglobals // one home per checkout
	sync.Mutex
	homes map[string]bool
}{homes: map[string]bool{}}

func installPlugins(ctx context.Context, root, home string, log io.Writer) error {
	installed.Lock()
	defer installed.Unlock()
	if installed.homes[home] {
		return nil
	}
	if _, err := plugins.Install(ctx, home, plugins.Options{Root: root, Bin: filepath.Join(root, ".tools", "bin"), Log: log}); err != nil {
		return fmt.Errorf("install the provider plugins: %w", err)
	}
	installed.homes[home] = true
	return nil
}

// Env lists the engine's environment as KEY=value, sorted by key.
func (e *Engine) Env() []string { return sortedPairs(e.env) }

// WriteEnv writes the engine's environment as a file that a shell can source,
// so that an operator can go on with plain `pulumi`.
func (e *Engine) WriteEnv(path string) error {
	var b strings.Builder
	for _, pair := range e.Env() {
		key, value, _ := strings.Cut(pair, "=")
		quoted, err := syntax.Quote(value, syntax.LangPOSIX)
		if err != nil {
			return fmt.Errorf("quote %s: %w", key, err)
		}
		b.WriteString("export " + key + "=" + quoted + "\n")
	}
	return os.WriteFile(path, []byte(b.String()), 0o600)
}

// Stack selects or creates a stack of the project in workDir, whose
// Pulumi.<stack>.yaml must exist.
func (e *Engine) Stack(ctx context.Context, workDir, name string) (auto.Stack, error) {
	command, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: filepath.Join(e.root, ".tools")})
	if err != nil {
		return auto.Stack{}, fmt.Errorf("find the Pulumi CLI (make tools): %w", err)
	}
	stack, err := auto.UpsertStackLocalSource(ctx, name, workDir,
		auto.Pulumi(command), auto.PulumiHome(e.env["PULUMI_HOME"]), auto.EnvVars(e.env))
	if err != nil {
		return auto.Stack{}, fmt.Errorf("select stack %q: %w", name, err)
	}
	return stack, nil
}
