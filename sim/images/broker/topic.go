package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

func newTopic(o *rpkOptions) *cobra.Command {
	c := &cobra.Command{Use: "topic", Short: "about topics"}
	c.AddCommand(newTopicCreate(o), newTopicList(o), newTopicDescribe(o), newTopicDelete(o), newTopicAlter(o))
	return c
}

// keyValues reads key=value arguments.
func keyValues(list []string) (map[string]*string, error) {
	out := map[string]*string{}
	for _, kv := range list {
		k, v, ok := strings.Cut(kv, "=")
		if !ok || k == "" {
			return nil, fmt.Errorf("topic config %q is malformed (want key=value)", kv)
		}
		out[k] = &v
	}
	return out, nil
}

func newTopicCreate(o *rpkOptions) *cobra.Command {
	var partitions int32
	var replicas int16
	var configs []string
	var ifNotExists, dry bool
	c := &cobra.Command{
		Use: "create TOPIC...", Short: "create topics", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, names []string) error {
			set, err := keyValues(configs)
			if err != nil {
				return err
			}
			client, err := o.client()
			if err != nil {
				return err
			}
			defer client.Close()
			do := client.CreateTopics
			if dry {
				do = client.ValidateCreateTopics
			}
			resp, err := do(c.Context(), partitions, replicas, set, names...)
			if err != nil {
				return fmt.Errorf("create topics: %w", err)
			}
			t := tabwriter.NewWriter(c.OutOrStdout(), 0, 4, 2, ' ', 0)
			fmt.Fprintln(t, "TOPIC\tSTATUS")
			var failed error
			for _, r := range resp.Sorted() {
				status := "OK"
				if r.Err != nil && (!ifNotExists || !errors.Is(r.Err, kerr.TopicAlreadyExists)) {
					status = r.Err.Error()
					failed = errors.Join(failed, fmt.Errorf("create topic %q: %w", r.Topic, r.Err))
				}
				fmt.Fprintf(t, "%s\t%s\n", r.Topic, status)
			}
			return errors.Join(t.Flush(), failed)
		},
	}
	c.Flags().Int32VarP(&partitions, "partitions", "p", -1, "partitions per topic")
	c.Flags().Int16VarP(&replicas, "replicas", "r", -1, "replication factor")
	c.Flags().StringArrayVarP(&configs, "topic-config", "c", nil, "key=value")
	c.Flags().BoolVar(&ifNotExists, "if-not-exists", false, "let an existing topic be")
	c.Flags().BoolVarP(&dry, "dry", "d", false, "only validate")
	return c
}

func newTopicList(o *rpkOptions) *cobra.Command {
	return &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "list topics", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := o.client()
			if err != nil {
				return err
			}
			defer client.Close()
			topics, err := client.ListTopics(c.Context())
			if err != nil {
				return fmt.Errorf("list topics: %w", err)
			}
			t := tabwriter.NewWriter(c.OutOrStdout(), 0, 4, 2, ' ', 0)
			fmt.Fprintln(t, "NAME\tPARTITIONS\tREPLICAS")
			for _, d := range topics.Sorted() {
				fmt.Fprintf(t, "%s\t%d\t%d\n", d.Topic, len(d.Partitions), d.Partitions.NumReplicas())
			}
			return t.Flush()
		},
	}
}

func newTopicDescribe(o *rpkOptions) *cobra.Command {
	var summary, configs, partitions, all bool
	c := &cobra.Command{
		Use: "describe TOPIC", Aliases: []string{"info"}, Short: "describe a topic", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, names []string) error {
			client, err := o.client()
			if err != nil {
				return err
			}
			defer client.Close()
			topics, err := client.ListTopics(c.Context(), names...)
			if err == nil {
				err = topics[names[0]].Err
			}
			if err != nil {
				return fmt.Errorf("describe topic %q: %w", names[0], err)
			}
			none := !summary && !configs && !partitions
			t := tabwriter.NewWriter(c.OutOrStdout(), 0, 4, 2, ' ', 0)
			if d := topics[names[0]]; none || all || summary {
				fmt.Fprintf(t, "SUMMARY\n=======\nNAME\t%s\nPARTITIONS\t%d\nREPLICAS\t%d\n\n", d.Topic, len(d.Partitions), d.Partitions.NumReplicas())
			}
			if none || all || configs {
				if err := describeConfigs(c, client, t, names[0]); err != nil {
					return err
				}
			}
			if all || partitions {
				if err := describePartitions(c, client, t, topics[names[0]]); err != nil {
					return err
				}
			}
			return t.Flush()
		},
	}
	c.Flags().BoolVarP(&summary, "print-summary", "s", false, "print the summary")
	c.Flags().BoolVarP(&configs, "print-configs", "c", false, "print the configuration")
	c.Flags().BoolVarP(&partitions, "print-partitions", "p", false, "print the partitions")
	c.Flags().BoolVarP(&all, "print-all", "a", false, "print everything")
	return c
}

func describePartitions(c *cobra.Command, client *kadm.Client, t *tabwriter.Writer, topic kadm.TopicDetail) error {
	starts, err := client.ListStartOffsets(c.Context(), topic.Topic)
	if err != nil {
		return fmt.Errorf("list start offsets of %q: %w", topic.Topic, err)
	}
	ends, err := client.ListEndOffsets(c.Context(), topic.Topic)
	if err != nil {
		return fmt.Errorf("list end offsets of %q: %w", topic.Topic, err)
	}
	fmt.Fprintln(t, "PARTITION\tLEADER\tEPOCH\tREPLICAS\tLOG-START-OFFSET\tHIGH-WATERMARK")
	for _, p := range topic.Partitions.Sorted() {
		start, _ := starts.Lookup(topic.Topic, p.Partition)
		end, _ := ends.Lookup(topic.Topic, p.Partition)
		fmt.Fprintf(t, "%d\t%d\t%d\t%v\t%d\t%d\n", p.Partition, p.Leader, p.LeaderEpoch, p.Replicas, start.Offset, end.Offset)
	}
	return nil
}

func describeConfigs(c *cobra.Command, client *kadm.Client, t *tabwriter.Writer, topic string) error {
	found, err := client.DescribeTopicConfigs(c.Context(), topic)
	if err != nil {
		return fmt.Errorf("describe configuration of %q: %w", topic, err)
	}
	fmt.Fprintln(t, "CONFIGS\n=======\nKEY\tVALUE\tSOURCE")
	for _, r := range found {
		for _, kv := range r.Configs {
			fmt.Fprintf(t, "%s\t%s\t%s\n", kv.Key, kv.MaybeValue(), kv.Source)
		}
	}
	return nil
}

func newTopicDelete(o *rpkOptions) *cobra.Command {
	return &cobra.Command{
		Use: "delete TOPIC...", Short: "delete topics", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, names []string) error {
			client, err := o.client()
			if err != nil {
				return err
			}
			defer client.Close()
			resp, err := client.DeleteTopics(c.Context(), names...)
			if err == nil {
				err = resp.Error()
			}
			if err != nil {
				return fmt.Errorf("delete topics: %w", err)
			}
			return nil
		},
	}
}

func newTopicAlter(o *rpkOptions) *cobra.Command {
	var set []string
	c := &cobra.Command{
		Use: "alter-config TOPIC...", Short: "set topic configuration", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, names []string) error {
			values, err := keyValues(set)
			if err != nil {
				return err
			}
			var alter []kadm.AlterConfig
			for k, v := range values {
				alter = append(alter, kadm.AlterConfig{Op: kadm.SetConfig, Name: k, Value: v})
			}
			client, err := o.client()
			if err != nil {
				return err
			}
			defer client.Close()
			resp, err := client.AlterTopicConfigs(c.Context(), alter, names...)
			if err != nil {
				return fmt.Errorf("alter topics: %w", err)
			}
			var failed error
			for _, r := range resp {
				if r.Err != nil {
					failed = errors.Join(failed, fmt.Errorf("alter topic %q: %w", r.Name, r.Err))
				}
			}
			return failed
		},
	}
	c.Flags().StringArrayVarP(&set, "set", "s", nil, "key=value")
	return c
}
