package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func newGroup(o *rpkOptions) *cobra.Command {
	c := &cobra.Command{Use: "group", Short: "about consumer groups"}
	c.AddCommand(&cobra.Command{
		Use: "list", Short: "list groups", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := o.client()
			if err != nil {
				return err
			}
			defer client.Close()
			groups, err := client.ListGroups(c.Context())
			if err != nil {
				return fmt.Errorf("list groups: %w", err)
			}
			t := tabwriter.NewWriter(c.OutOrStdout(), 0, 4, 2, ' ', 0)
			fmt.Fprintln(t, "BROKER\tGROUP\tSTATE")
			for _, g := range groups.Sorted() {
				fmt.Fprintf(t, "%d\t%s\t%s\n", g.Coordinator, g.Group, g.State)
			}
			return t.Flush()
		},
	}, &cobra.Command{
		Use: "describe GROUP", Short: "describe a group's members and lag", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, names []string) error {
			client, err := o.client()
			if err != nil {
				return err
			}
			defer client.Close()
			lags, err := client.Lag(c.Context(), names...)
			if err != nil {
				return fmt.Errorf("describe group %q: %w", names[0], err)
			}
			t := tabwriter.NewWriter(c.OutOrStdout(), 0, 4, 2, ' ', 0)
			for _, g := range lags.Sorted() {
				fmt.Fprintf(t, "GROUP\t%s\nSTATE\t%s\nMEMBERS\t%d\nTOTAL-LAG\t%d\n", g.Group, g.State, len(g.Members), g.Lag.Total())
				fmt.Fprintln(t, "\nTOPIC\tPARTITION\tCURRENT-OFFSET\tLOG-END-OFFSET\tLAG")
				for _, l := range g.Lag.Sorted() {
					fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\n", l.Topic, l.Partition, l.Commit.At, l.End.Offset, l.Lag)
				}
			}
			return t.Flush()
		},
	})
	return c
}
