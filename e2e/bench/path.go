package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// timeSteps says how long the engine worked on each resource.
func timeSteps(stream <-chan events.EngineEvent) map[resource.URN]time.Duration {
	started, took := map[resource.URN]time.Time{}, map[resource.URN]time.Duration{}
	for event := range stream {
		switch {
		case event.ResourcePreEvent != nil:
			started[resource.URN(event.ResourcePreEvent.Metadata.URN)] = time.Now()
		case event.ResOutputsEvent != nil:
			urn := resource.URN(event.ResOutputsEvent.Metadata.URN)
			took[urn] = time.Since(started[urn])
		}
	}
	return took
}

// criticalPath is the longest chain of resources that had to wait for each
// other, by the dependencies that the stack's state records.
func criticalPath(ctx context.Context, stack auto.Stack, took map[resource.URN]time.Duration) (time.Duration, error) {
	exported, err := stack.Export(ctx)
	if err != nil {
		return 0, err
	}
	var deployment apitype.DeploymentV3
	if err := json.Unmarshal(exported.Deployment, &deployment); err != nil {
		return 0, fmt.Errorf("read the stack's state: %w", err)
	}
	// Resources are listed after what they depend on.
	ends, longest := map[resource.URN]time.Duration{}, time.Duration(0)
	for _, r := range deployment.Resources {
		if !r.Custom {
			continue // a component takes as long as what is in it
		}
		var begin time.Duration
		for _, on := range r.Dependencies {
			begin = max(begin, ends[on])
		}
		ends[r.URN] = begin + took[r.URN]
		longest = max(longest, ends[r.URN])
	}
	return longest, nil
}
