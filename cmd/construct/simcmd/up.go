package simcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/spf13/cobra"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim/control"
	"github.com/construct-server/infra/sim/rig"
)

func up() *cobra.Command {
	var cloud, hosts string
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Bring a whole deployment up on a simulated cloud; safe to run again",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runUp(cmd.Context(), cmd.OutOrStdout(), config.Cloud(cloud), hosts)
		},
	}
	cmd.Flags().StringVar(&cloud, "cloud", string(config.DigitalOcean), "digitalocean or hetzner")
	cmd.Flags().StringVar(&hosts, "hosts", rig.Auto, "what a server is: container (a VPS in a container), dry (records commands) or auto")
	return cmd
}

func runUp(ctx context.Context, out io.Writer, cloud config.Cloud, hosts string) error {
	s, err := openState()
	if err != nil {
		return err
	}
	started := time.Now()
	step := func(format string, args ...any) {
		_, _ = fmt.Fprintf(out, "[%4.0fs] %s\n", time.Since(started).Seconds(), fmt.Sprintf(format, args...))
	}
	info, err := s.start(ctx, hosts, step)
	if err != nil {
		return err
	}
	stack, err := s.stack(ctx, cloud, info, step)
	if err != nil {
		return err
	}
	step("pulumi up --stack %s", stack.Name())
	result, err := stack.Up(ctx, optup.ProgressStreams(out), optup.ErrorProgressStreams(io.Discard))
	if err != nil {
		return fmt.Errorf("pulumi up of stack %s ended with an error, said above; what was created is kept: fix and run `make up` again, or `make down`", stack.Name())
	}
	step("up")
	return s.summary(ctx, out, info, stack, result.Outputs)
}

// start returns the simulator that runs here, or starts one. What a dead one
// left is removed first: a stack whose hosts and clouds are gone, at endpoints
// that nobody answers, can be neither used nor destroyed.
func (s state) start(ctx context.Context, hosts string, step func(string, ...any)) (control.Info, error) {
	info, running, err := s.find(ctx, step)
	if err != nil {
		return control.Info{}, err
	}
	if running {
		step("the simulator runs already, with %s hosts", info.Hosts)
		return info, nil
	}
	left, err := s.left()
	if err != nil {
		return control.Info{}, err
	}
	if left {
		step("the simulator that ran here has died, and its clouds with it: removing what it left, to start afresh")
		if err := s.sweep(ctx, s.dry()); err != nil {
			return control.Info{}, err
		}
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return control.Info{}, err
	}
	step("starting the simulator (images are built the first time: some minutes; log: .sim/simulator.log)")
	if info, err = s.serve(ctx, hosts); err != nil {
		return control.Info{}, err
	}
	step("the simulator runs, with %s hosts", info.Hosts)
	return info, nil
}

// stack is the stack of a cloud, configured for the running simulator.
func (s state) stack(ctx context.Context, cloud config.Cloud, info control.Info, step func(string, ...any)) (auto.Stack, error) {
	if cloud != config.DigitalOcean && cloud != config.Hetzner {
		return auto.Stack{}, fmt.Errorf("cloud %q is unknown (want digitalocean or hetzner)", cloud)
	}
	step("preparing the Pulumi engine")
	engine, err := lab.NewEngine(ctx, s.root, s.dir, io.Discard)
	if err != nil {
		return auto.Stack{}, err
	}
	name := "sim-" + string(cloud)
	file := lab.StackPath(s.root, name)
	switch _, err := os.Stat(file); {
	case err == nil:
		// Secrets of a running deployment must stay what they are.
	case errors.Is(err, fs.ErrNotExist):
		settings, err := lab.NewSample(cloud, lab.EndpointsOf(info), s.path("id_ed25519"))
		if err != nil {
			return auto.Stack{}, err
		}
		if err := settings.Write(ctx, file); err != nil {
			return auto.Stack{}, err
		}
	default:
		return auto.Stack{}, err
	}
	if err := engine.WriteEnv(s.path("env")); err != nil {
		return auto.Stack{}, err
	}
	return engine.Stack(ctx, s.root, name)
}
