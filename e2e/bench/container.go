package main

import (
	"context"
	"net/netip"
	"os"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim/rig"
)

// containerPrefix keeps the bench's hosts apart from those of a `make up`.
var containerPrefix = netip.MustParsePrefix("198.51.100.128/25")

// containerRun measures one first up and the longest chain of steps in it that
// had to wait for each other: what is above the chain is the program's own.
func containerRun(ctx context.Context, root string, cloud config.Cloud) error {
	dir, err := os.MkdirTemp("", "construct-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s, err := rig.Start(ctx, rig.Options{Hosts: rig.Container, Root: root, Instance: "bench", Prefix: containerPrefix})
	if err != nil {
		return err
	}
	l, err := lab.Start(ctx, lab.Options{Root: root, Dir: dir, Cloud: cloud, Simulator: s})
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	if err := l.Configure(ctx, l.Settings.With("construct:network", map[string]any{"cidr": "10.22.0.0/24"})); err != nil {
		return err
	}
	stream := make(chan events.EngineEvent)
	durations := make(chan map[resource.URN]time.Duration, 1)
	go func() { durations <- timeSteps(stream) }()
	took, err := lab.Elapsed(func() error { _, err := l.Stack.Up(ctx, optup.EventStreams(stream)); return err })
	if err != nil {
		return err
	}
	chain, err := criticalPath(ctx, l.Stack, <-durations)
	if err != nil {
		return err
	}
	line("container_first_up", took.Seconds(), "s")
	line("container_critical_path", chain.Seconds(), "s")
	line("container_first_up_over_critical_path", took.Seconds()/chain.Seconds(), "ratio")
	return nil
}
