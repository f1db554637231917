// Package simcmd holds `construct sim`: the simulated clouds, alone or with a
// whole deployment on them.
package simcmd

import "github.com/spf13/cobra"

// New is the `construct sim` command.
func New() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sim",
		Short: "Run simulated clouds on this machine",
	}
	cmd.AddCommand(Serve(), up(), down())
	return cmd
}
