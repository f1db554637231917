// Command bench prints what a deployment costs in time and requests, one
// "name value unit" a line: medians over runs on dry hosts and, where a Docker
// engine answers, the first up on container hosts beside its critical path.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/sim/rig"
)

func main() {
	runs := flag.Int("runs", 5, "runs on dry hosts, of which the median is printed")
	containers := flag.Bool("containers", true, "measure container hosts as well, where a Docker engine answers")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := bench(ctx, *runs, *containers); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, runs int, containers bool) error {
	root, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	for _, cloud := range []config.Cloud{config.DigitalOcean, config.Hetzner} {
		if err := dryRuns(ctx, root, cloud, runs); err != nil {
			return fmt.Errorf("%s on dry hosts: %w", cloud, err)
		}
	}
	if !containers {
		return nil
	}
	if err := rig.Engine(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "bench: container hosts are not measured, no Docker engine: %v\n", err)
		return nil
	}
	if err := containerRun(ctx, root, config.DigitalOcean); err != nil {
		return fmt.Errorf("container hosts: %w", err)
	}
	return nil
}

// line prints one figure.
func line(name string, value float64, unit string) { fmt.Printf("%s %.2f %s\n", name, value, unit) }
