package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// startFlags are the flags of `rpk redpanda start` that change something here.
type startFlags struct {
	kafka, advertise, set []string
	mode                  string
	bypassFsync           bool
}

// inert are flags of the real command that tune what this stand-in lacks.
var inert = struct{ texts, bools []string }{
	texts: []string{
		"smp", "memory", "reserve-memory", "node-id", "rpc-addr", "advertise-rpc-addr", "pandaproxy-addr",
		"advertise-pandaproxy-addr", "schema-registry-addr", "seeds", "install-dir", "timeout", "well-known-io",
		"default-log-level", "logger-log-level", "blocked-reactor-notify-ms", "idle-poll-time-us",
		"max-networking-io-control-blocks", "io-properties-file",
	},
	bools: []string{
		"overprovisioned", "check", "tune", "lock-memory", "abort-on-seastar-bad-alloc", "x-lock-memory",
	},
}

func newStart(o *rpkOptions) *cobra.Command {
	f := &startFlags{}
	c := &cobra.Command{
		Use: "start", Short: "start the broker", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			conf, err := f.config(o.config)
			if err != nil {
				return err
			}
			return serve(c.Context(), conf)
		},
	}
	c.Flags().StringSliceVar(&f.kafka, "kafka-addr", nil, "listeners, [name://]host:port")
	c.Flags().StringSliceVar(&f.advertise, "advertise-kafka-addr", nil, "addresses told to clients")
	c.Flags().StringArrayVar(&f.set, "set", nil, "redpanda.property=value")
	c.Flags().StringVar(&f.mode, "mode", "", "dev-container or production")
	c.Flags().BoolVar(&f.bypassFsync, "unsafe-bypass-fsync", false, "do not sync every batch")
	for _, name := range inert.texts {
		c.Flags().String(name, "", "accepted, without effect")
	}
	for _, name := range inert.bools {
		c.Flags().Bool(name, false, "accepted, without effect")
	}
	return c
}

// config merges defaults, the file and the flags, in this order.
func (f *startFlags) config(path string) (config, error) {
	c := config{
		Listen: []string{"0.0.0.0:9092"}, Admin: "0.0.0.0:9644", DataDir: defaultDataDir,
		Sync: !f.bypassFsync, Partitions: 1,
	}
	if err := c.readFile(path); err != nil {
		return c, err
	}
	mode := f.mode
	if mode == "" && c.Developer { // as rpk does, before it looks at --set
		mode = "dev-container"
	}
	switch mode {
	case "":
	case "dev-container":
		c.AutoCreate, c.Sync, c.Developer = true, false, true
	default:
		return c, fmt.Errorf("mode %q is not known to rpk", mode)
	}
	if err := c.bootstrap(path); err != nil {
		return c, err
	}
	if len(f.kafka) > 0 {
		c.Listen = nil
	}
	for _, k := range f.kafka {
		a, err := address(k, 9092)
		if err != nil {
			return c, fmt.Errorf("--kafka-addr: %w", err)
		}
		c.Listen = append(c.Listen, a)
	}
	if len(f.advertise) > 0 {
		a, err := address(f.advertise[0], 9092)
		if err != nil {
			return c, fmt.Errorf("--advertise-kafka-addr: %w", err)
		}
		c.Advertise = a
	}
	if slices.ContainsFunc(os.Args, func(a string) bool { return strings.HasPrefix(a, "--set=") }) {
		return c, errors.New("rpk hands --set=… on to Redpanda, which does not know it (want two words)")
	}
	for _, s := range f.set {
		k, v, ok := strings.Cut(s, "=")
		k, isProperty := strings.CutPrefix(k, "redpanda.")
		if !ok || (!isProperty && strings.Contains(k, ".")) {
			return c, fmt.Errorf("--set %q: want redpanda.property=value", s)
		}
		if err := c.property(k, v); err != nil {
			return c, fmt.Errorf("--set: %w", err)
		}
	}
	if c.Advertise == "" {
		c.Advertise = c.Listen[0]
	}
	return c, nil
}
