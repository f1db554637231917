package fleetcmd

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

// status compares what should run with what does.
func status() *cobra.Command {
	var o options
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Compare what should run on every host with what does",
		Long: `Ask every host, at once, what is on it, and compare: release, images and
configurations of the containers and their health, the packet filter's rules in
the kernel, the data volume, disks. Exit code 0: all is as the last
pulumi up was to bring it; 1: something differs; 2: a host could not be asked.`,
		Args: func(cmd *cobra.Command, args []string) error { return coded(codeSilent, cobra.NoArgs(cmd, args)) },
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, d, err := o.open(cmd.Context())
			if err != nil {
				return coded(codeSilent, err)
			}
			defer d.close()
			r := newReport(d.ask(cmd.Context(), f.Hosts))
			if asJSON {
				encoder := json.NewEncoder(cmd.OutOrStdout())
				encoder.SetIndent("", "  ")
				err = encoder.Encode(r)
			} else {
				err = r.print(cmd.OutOrStdout())
			}
			if err != nil {
				return coded(codeSilent, fmt.Errorf("print the status: %w", err))
			}
			if code := r.code(); code != 0 {
				return &exit{code: code}
			}
			return nil
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return coded(codeSilent, err) })
	o.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "for programs")
	return cmd
}
