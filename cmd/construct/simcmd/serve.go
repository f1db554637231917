package simcmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/construct-server/infra/sim"
	"github.com/construct-server/infra/sim/control"
	"github.com/construct-server/infra/sim/host/container"
	"github.com/construct-server/infra/sim/rig"
)

// Serve is the `construct sim serve` command: the simulated clouds alone, for
// any client of their APIs.
func Serve() *cobra.Command {
	o := rig.Options{}
	var infoPath, prefix string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run both simulated clouds and print their API endpoints",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Prefix, err = netip.ParsePrefix(prefix); err != nil {
				return fmt.Errorf("--public-cidr: %w", err)
			}
			o.Log = cmd.ErrOrStderr()
			return serve(cmd.Context(), cmd.OutOrStdout(), o, infoPath)
		},
	}
	cmd.Flags().StringVar(&o.Hosts, "hosts", rig.Auto, "container (a VPS in a container), dry (SSH that records commands) or auto")
	cmd.Flags().StringVar(&o.Listen, "listen", "127.0.0.1:0", "address of the APIs; port 0 chooses one")
	cmd.Flags().StringVar(&prefix, "public-cidr", container.DefaultPrefix, "public range of container hosts")
	cmd.Flags().StringVar(&infoPath, "info", "", "file that gets the same description as JSON, for as long as it is true")
	return cmd
}

// serve runs until the context ends, and leaves nothing then.
func serve(ctx context.Context, out io.Writer, o rig.Options, infoPath string) error {
	s, err := openState()
	if err != nil {
		return err
	}
	o.Root = s.root
	simulator, err := rig.Start(ctx, o)
	if err != nil {
		return err
	}
	if err := announce(out, simulator, infoPath); err != nil {
		_ = simulator.Close()
		return err
	}
	<-ctx.Done()
	err = simulator.Close()
	if infoPath == "" {
		return err
	}
	// It says where a simulator is to be found.
	return errors.Join(err, os.Remove(infoPath))
}

func announce(out io.Writer, s *sim.Simulator, infoPath string) error {
	info := s.Info()
	describe(out, info)
	if infoPath == "" {
		return nil
	}
	data, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return err
	}
	// Whoever waits for the file must never read half of it.
	part := filepath.Join(filepath.Dir(infoPath), "."+filepath.Base(infoPath))
	if err := os.WriteFile(part, data, 0o600); err != nil {
		return err
	}
	return os.Rename(part, infoPath)
}

// describe prints what a client needs to know.
func describe(out io.Writer, i control.Info) {
	line := func(name, value string) {
		if value != "" {
			_, _ = fmt.Fprintf(out, "%-14s %s\n", name, value)
		}
	}
	line("digitalocean", i.DigitalOcean+"   (any token)")
	line("hetzner", i.Hetzner+"   (any token of 64 characters)")
	line("control", i.Control+"/info")
	line("hosts", fmt.Sprintf("%s, public addresses %s, SSH on port %d", i.Hosts, i.PublicPrefix, i.SSHPort))
	line("dns", i.DNS)
	line("registry", i.Registry)
	line("acme", i.ACMEDirectory)
	line("stop", "Ctrl-C")
}
