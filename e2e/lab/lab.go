package lab

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"gopkg.in/yaml.v3"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/sim"
	"github.com/construct-server/infra/sim/host"
)

// Options describe a lab.
type Options struct {
	Root  string       // the checkout
	Dir   string       // state of this lab; it is not removed by Close
	Cloud config.Cloud // which cloud the stack starts on
	Stack string       // default "test"
	// Simulator is used, and closed, by the lab when given. Otherwise one is
	// started from Backend and Sim.
	Simulator *sim.Simulator
	// Backend runs the hosts; the lab closes it.
	Backend host.Backend
	// Program is the built program; default .tools/bin/program.
	Program string
	Sim     sim.Options // everything but Backend
	Log     io.Writer   // the engine's progress; default: discarded
	// Env is added to the engine's environment.
	Env map[string]string
}

// Lab is a simulated cloud with a real Pulumi engine pointed at it.
type Lab struct {
	Sim      *sim.Simulator
	Control  Control
	Engine   *Engine
	Stack    auto.Stack
	Settings Settings // as last written by Configure
	KeyPath  string   // the operator's private SSH key

	workDir, stackName string
	log                io.Writer
}

// Start starts a simulator in this process and a stack, configured as Sample,
// that deploys to it.
func Start(ctx context.Context, o Options) (*Lab, error) {
	if o.Stack == "" {
		o.Stack = "test"
	}
	if o.Program == "" {
		o.Program = filepath.Join(o.Root, ".tools", "bin", "program")
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	l := &Lab{workDir: filepath.Join(o.Dir, "project"), stackName: o.Stack, log: o.Log, KeyPath: filepath.Join(o.Dir, "id_ed25519")}
	if err := WriteProject(o.Root, l.workDir, o.Program); err != nil {
		return nil, err
	}
	var err error
	if l.Engine, err = NewEngine(ctx, o.Root, o.Dir, o.Log); err != nil {
		return nil, err
	}
	maps.Copy(l.Engine.env, o.Env)
	if l.Sim = o.Simulator; l.Sim == nil {
		o.Sim.Backend = o.Backend
		if l.Sim, err = sim.Start(ctx, o.Sim); err != nil {
			return nil, fmt.Errorf("start the simulator: %w", err)
		}
	}
	info := l.Sim.Info()
	l.Control = Control{Base: info.Control}
	if err := l.configureSample(ctx, o.Cloud, EndpointsOf(info)); err != nil {
		_ = l.Sim.Close()
		return nil, err
	}
	if l.Stack, err = l.Engine.Stack(ctx, l.workDir, o.Stack); err != nil {
		_ = l.Sim.Close()
		return nil, err
	}
	return l, nil
}

// Close stops the simulator and removes its hosts.
func (l *Lab) Close() error { return l.Sim.Close() }

// WorkDir is where the lab's Pulumi.yaml and stack file are.
func (l *Lab) WorkDir() string { return l.workDir }

// Configure writes the stack file.
func (l *Lab) Configure(ctx context.Context, s Settings) error {
	l.Settings = s
	return s.Write(ctx, StackPath(l.workDir, l.stackName))
}

func (l *Lab) configureSample(ctx context.Context, cloud config.Cloud, at Endpoints) error {
	settings, err := NewSample(cloud, at, l.KeyPath)
	if err != nil {
		return err
	}
	return l.Configure(ctx, settings)
}

// WriteProject makes a project directory that runs the program as built, so
// that a test does not wait for the compiler at every command.
func WriteProject(root, dir, program string) error {
	data, err := os.ReadFile(filepath.Join(root, "Pulumi.yaml"))
	if err != nil {
		return fmt.Errorf("read the project: %w", err)
	}
	var project map[string]any
	if err := yaml.Unmarshal(data, &project); err != nil {
		return fmt.Errorf("parse Pulumi.yaml: %w", err)
	}
	project["runtime"] = map[string]any{"name": "go", "options": map[string]any{"binary": program}}
	if data, err = yaml.Marshal(project); err != nil {
		return fmt.Errorf("write the project: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("prepare the project: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), data, 0o600)
}

// Elapsed runs f and tells how long it took.
func Elapsed(f func() error) (time.Duration, error) {
	start := time.Now()
	err := f()
	return time.Since(start), err
}
