package simcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/construct-server/infra/sim/host/container"
	"github.com/construct-server/infra/sim/rig"
)

func down() *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Stop the simulator and remove its hosts, networks, volumes and stacks",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDown(cmd.Context(), cmd.OutOrStdout())
		},
	}
}

func runDown(ctx context.Context, out io.Writer) error {
	s, err := openState()
	if err != nil {
		return err
	}
	dry := s.dry() // it takes its description back when it ends
	if err := s.stop(ctx); err != nil {
		return err
	}
	if err := s.sweep(ctx, dry); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(out, "down: nothing of the simulation is left but built images")
	return nil
}

// left tells whether a simulator was here whose deployment is still written
// down.
func (s state) left() (bool, error) {
	stacks, err := s.stacks()
	if err != nil || len(stacks) > 0 {
		return len(stacks) > 0, err
	}
	for _, name := range []string{"simulator.pid", "backend"} {
		if _, err := os.Stat(s.path(name)); err == nil {
			return true, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	return false, nil
}

// stacks are the stack files of deployments on the simulator.
func (s state) stacks() ([]string, error) {
	return filepath.Glob(filepath.Join(s.root, "Pulumi.sim-*.yaml"))
}

// dry tells whether the simulator that was started last says it has dry hosts.
func (s state) dry() bool {
	info, ok := s.described()
	return ok && info.Hosts == rig.Dry
}

// sweep removes what a simulator that no longer runs left: hosts, stacks and
// all that is said of it. Dry hosts are gone with it, and containers of that
// name are then another checkout's.
func (s state) sweep(ctx context.Context, dry bool) error {
	if !dry && rig.Engine(ctx) == nil {
		if err := container.Sweep(ctx, rig.Instance); err != nil {
			return fmt.Errorf("remove the simulated hosts: %w", err)
		}
	}
	stacks, err := s.stacks()
	if err != nil {
		return err
	}
	for _, path := range append(stacks, s.dir) {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("remove %s: %w", path, err)
		}
	}
	return nil
}
