package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// rpkOptions are the flags that every rpk command takes.
type rpkOptions struct {
	opts    []string // -X key=value
	brokers []string
	verbose bool
	profile string
	config  string
}

func newRPK() *cobra.Command {
	o := &rpkOptions{}
	root := &cobra.Command{
		Use: "rpk", Short: "stand-in for Redpanda's rpk",
		SilenceUsage: true, SilenceErrors: true,
	}
	root.SetOut(os.Stdout) // or Printf would print to standard error
	p := root.PersistentFlags()
	p.StringArrayVarP(&o.opts, "config-opt", "X", nil, "key=value; brokers and admin.hosts are known here")
	p.StringSliceVar(&o.brokers, "brokers", nil, "brokers, host:port")
	p.BoolVarP(&o.verbose, "verbose", "v", false, "accepted")
	p.StringVar(&o.profile, "profile", "", "accepted")
	p.StringVar(&o.config, "config", defaultConfigPath, "Redpanda's configuration file")
	server := &cobra.Command{Use: "redpanda", Short: "the broker"}
	server.AddCommand(newStart(o))
	root.AddCommand(server, newCluster(o), newTopic(o), newGroup(o), &cobra.Command{
		Use: "version", Run: func(c *cobra.Command, _ []string) { c.Println("stand-in for v24.3.3") },
	})
	return root
}

// setting looks a -X key up, then its environment variable.
func (o *rpkOptions) setting(key, env, fallback string) (string, error) {
	value := ""
	for _, kv := range o.opts {
		k, v, ok := strings.Cut(kv, "=")
		if !ok || (k != "brokers" && k != "admin.hosts") {
			return "", fmt.Errorf("option -X %q is not known to this stand-in (want brokers=… or admin.hosts=…)", kv)
		}
		if k == key {
			value = v
		}
	}
	switch {
	case value != "":
		return value, nil
	case os.Getenv(env) != "":
		return os.Getenv(env), nil
	}
	return fallback, nil
}

// client connects as any Kafka client does, following advertised addresses.
func (o *rpkOptions) client() (*kadm.Client, error) {
	list, err := o.setting("brokers", "RPK_BROKERS", "127.0.0.1:9092")
	if err != nil {
		return nil, err
	}
	seeds := strings.Split(list, ",")
	if len(o.brokers) > 0 {
		seeds = o.brokers
	}
	c, err := kgo.NewClient(kgo.SeedBrokers(seeds...), kgo.DialTimeout(5*time.Second),
		kgo.RetryTimeout(10*time.Second), kgo.RequestTimeoutOverhead(5*time.Second))
	if err != nil {
		return nil, fmt.Errorf("create Kafka client: %w", err)
	}
	return kadm.NewClient(c), nil
}
