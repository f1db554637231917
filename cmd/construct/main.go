// Command construct is the operator's command line beside `pulumi`: it writes
// a complete stack configuration, looks at and reaches into what a stack runs,
// repairs what a killed run left behind, checks what monitoring refers to, and
// runs the simulated clouds.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/construct-server/infra/cmd/construct/fleetcmd"
	"github.com/construct-server/infra/cmd/construct/initcmd"
	"github.com/construct-server/infra/cmd/construct/repaircmd"
	"github.com/construct-server/infra/cmd/construct/seriescmd"
	"github.com/construct-server/infra/cmd/construct/simcmd"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := root().ExecuteContext(ctx); err != nil {
		if text := err.Error(); text != "" {
			fmt.Fprintln(os.Stderr, "construct:", text)
		}
		os.Exit(fleetcmd.ExitCode(err))
	}
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "construct",
		Short:         "Operate a Construct Server deployment",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.AddCommand(initcmd.New(), repaircmd.New(), seriescmd.New(), simcmd.New())
	cmd.AddCommand(fleetcmd.New()...)
	return cmd
}
