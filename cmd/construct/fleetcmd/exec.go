package fleetcmd

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/construct-server/infra/deploy"
)

// execute runs a command on a host.
func execute() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "exec HOST -- COMMAND...",
		Short: "Run a command on a host",
		Long: `Run a command on a host, with this one's standard input, and end with its exit
code; 255 if the host could not be reached. Every word arrives as it is: for
pipes and variables of the host's shell, run sh -c.`,
		Example: `  construct exec db-1 -- sudo docker ps
  construct exec app-1 -- sh -c 'df -h | grep srv'`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			words := make([]string, len(args)-1)
			for i, word := range args[1:] {
				var err error
				if words[i], err = deploy.Quote(word); err != nil {
					return err
				}
			}
			f, d, err := o.open(cmd.Context())
			if err != nil {
				return coded(codeNoSSH, err)
			}
			defer d.close()
			h, err := f.find(args[0])
			if err != nil {
				return coded(codeNoSSH, err)
			}
			return d.run(cmd.Context(), h, strings.Join(words, " "),
				streams{in: cmd.InOrStdin(), out: cmd.OutOrStdout(), err: cmd.ErrOrStderr()})
		},
	}
	o.register(cmd)
	return cmd
}
