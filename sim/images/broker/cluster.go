package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

func newCluster(o *rpkOptions) *cobra.Command {
	c := &cobra.Command{Use: "cluster", Short: "about the cluster"}
	c.AddCommand(newHealth(o), newInfo(o), newProperties(o))
	return c
}

type overview struct {
	Healthy      bool     `json:"is_healthy"`
	Controller   int      `json:"controller_id"`
	Nodes        []int    `json:"all_nodes"`
	Down         []int    `json:"nodes_down"`
	Leaderless   []string `json:"leaderless_partitions"`
	Underreplica []string `json:"under_replicated_partitions"`
}

func newHealth(o *rpkOptions) *cobra.Command {
	var watch, exit bool
	var hosts []string
	c := &cobra.Command{
		Use: "health", Short: "print the health overview", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			host, err := o.setting("admin.hosts", "RPK_ADMIN_HOSTS", "127.0.0.1:9644")
			if err != nil {
				return err
			}
			if len(hosts) > 0 {
				host = hosts[0]
			}
			for {
				v, err := fetchOverview(c.Context(), host)
				if err != nil && !watch {
					return fmt.Errorf("request health of %q: %w", host, err)
				}
				if err == nil {
					c.Printf("CLUSTER HEALTH OVERVIEW\n=======================\nHealthy:                          %t\n"+
						"Controller ID:                    %d\nAll nodes:                        %v\n"+
						"Nodes down:                       %v\nLeaderless partitions (%d):        %v\n"+
						"Under-replicated partitions (%d):  %v\n",
						v.Healthy, v.Controller, v.Nodes, v.Down, len(v.Leaderless), v.Leaderless,
						len(v.Underreplica), v.Underreplica)
					if !watch || (exit && v.Healthy) {
						return nil
					}
				}
				time.Sleep(2 * time.Second)
			}
		},
	}
	c.Flags().BoolVarP(&watch, "watch", "w", false, "print again until stopped")
	c.Flags().BoolVarP(&exit, "exit-when-healthy", "e", false, "with --watch, end when healthy")
	c.Flags().StringSliceVar(&hosts, "api-urls", nil, "admin addresses")
	return c
}

func fetchOverview(ctx context.Context, host string) (overview, error) {
	var v overview
	host = strings.TrimPrefix(strings.Split(host, ",")[0], "http://")
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/v1/cluster/health_overview", nil)
	if err != nil {
		return v, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return v, err
	}
	defer func() { _ = resp.Body.Close() }()
	return v, json.NewDecoder(resp.Body).Decode(&v)
}

func newInfo(o *rpkOptions) *cobra.Command {
	return &cobra.Command{
		Use: "info", Aliases: []string{"metadata", "status"}, Short: "list brokers and topics", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := o.client()
			if err != nil {
				return err
			}
			defer client.Close()
			m, err := client.Metadata(c.Context())
			if err != nil {
				return fmt.Errorf("request metadata: %w", err)
			}
			c.Printf("CLUSTER\n=======\n%s\n\nBROKERS\n=======\n", m.Cluster)
			t := tabwriter.NewWriter(c.OutOrStdout(), 0, 4, 2, ' ', 0)
			fmt.Fprintln(t, "ID\tHOST\tPORT")
			for _, b := range m.Brokers {
				fmt.Fprintf(t, "%d*\t%s\t%d\n", b.NodeID, b.Host, b.Port)
			}
			if len(m.Topics) > 0 {
				fmt.Fprintln(t, "\nTOPICS\n======\nNAME\tPARTITIONS\tREPLICAS")
			}
			for _, d := range m.Topics.Sorted() {
				fmt.Fprintf(t, "%s\t%d\t%d\n", d.Topic, len(d.Partitions), d.Partitions.NumReplicas())
			}
			return t.Flush()
		},
	}
}
