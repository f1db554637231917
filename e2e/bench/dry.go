package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim/control"
	"github.com/construct-server/infra/sim/host/dry"
)

// figures are what one run measured, by name; measures has their units.
type figures map[string]float64

// dryRuns prints the medians of runs whole lives of a stack.
func dryRuns(ctx context.Context, root string, cloud config.Cloud, runs int) error {
	all := map[string][]float64{}
	for range runs {
		one, err := dryRun(ctx, root, cloud)
		if err != nil {
			return err
		}
		for name, value := range one {
			all[name] = append(all[name], value)
		}
	}
	for _, m := range measures {
		values := all[m.name]
		slices.Sort(values)
		line(string(cloud)+"_"+m.name, values[len(values)/2], m.unit)
	}
	return nil
}

// measures are taken in this order, each of one operation.
var measures = []struct{ name, unit string }{
	{"preview", "s"}, {"preview_requests", "count"}, {"preview_commands", "count"},
	{"first_up", "s"}, {"first_up_requests", "count"}, {"first_up_commands", "count"},
	{"noop_up", "s"}, {"noop_up_requests", "count"}, {"noop_up_commands", "count"},
}

func dryRun(ctx context.Context, root string, cloud config.Cloud) (figures, error) {
	dir, err := os.MkdirTemp("", "construct-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	l, err := lab.Start(ctx, lab.Options{Root: root, Dir: dir, Cloud: cloud, Backend: dry.New(dry.Options{})})
	if err != nil {
		return nil, err
	}
	defer func() { _ = l.Close() }()
	out := figures{}
	for _, operation := range []struct {
		name string
		run  func() error
	}{
		{"preview", func() error { _, err := l.Stack.Preview(ctx); return err }},
		{"first_up", func() error { _, err := l.Stack.Up(ctx); return err }},
		{"noop_up", func() error { _, err := l.Stack.Up(ctx); return err }},
	} {
		if err := measure(ctx, l, operation.name, operation.run, out); err != nil {
			return nil, fmt.Errorf("%s: %w", operation.name, err)
		}
	}
	return out, nil
}

// measure times one operation and counts what it asked of cloud and hosts.
func measure(ctx context.Context, l *lab.Lab, name string, run func() error, out figures) error {
	var before, after control.Commands
	if err := l.Control.Get(ctx, "/commands", &before); err != nil {
		return err
	}
	if err := l.Control.Post(ctx, "/requests/reset", nil, nil); err != nil {
		return err
	}
	took, err := lab.Elapsed(run)
	if err != nil {
		return err
	}
	var requests control.Requests
	if err := l.Control.Get(ctx, "/requests", &requests); err != nil {
		return err
	}
	if err := l.Control.Get(ctx, "/commands", &after); err != nil {
		return err
	}
	out[name] = took.Seconds()
	out[name+"_requests"] = float64(requests.Total)
	out[name+"_commands"] = float64(after.Total - before.Total)
	return nil
}
