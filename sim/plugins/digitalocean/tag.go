package digitalocean

import (
	"context"
	"fmt"
	"slices"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/digitalocean/godo"
)

func (c *cloud) tag() *provider.Resource {
	read := func(ctx context.Context, id string, _ provider.Values) (provider.Output, error) {
		t, _, err := c.Tags.Get(ctx, id)
		if err != nil {
			return nil, found(err)
		}
		return tagOutput(t), nil
	}
	counts := map[string]provider.Type{}
	for name := range tagOutput(&godo.Tag{}) {
		if name != "name" {
			counts[name] = provider.Int
		}
	}
	return &provider.Resource{
		Inputs: provider.Schema{
			"name": {Type: provider.String, Required: true, ForceNew: true, AutoName: 255},
		},
		Outputs: counts,
		Create: func(ctx context.Context, in provider.Values) (string, provider.Output, error) {
			t, _, err := c.Tags.Create(ctx, &godo.TagCreateRequest{Name: in.String("name")})
			if err != nil {
				return "", nil, fmt.Errorf("create tag: %w", err)
			}
			out, err := read(ctx, t.Name, in)
			return t.Name, out, err
		},
		Read: read,
		Delete: func(ctx context.Context, id string, _ provider.Values) error {
			_, err := c.Tags.Delete(ctx, id)
			return gone(err)
		},
	}
}

func tagOutput(t *godo.Tag) provider.Output {
	r := t.Resources
	if r == nil {
		r = &godo.TaggedResources{}
	}
	droplets, images, volumes := r.Droplets, r.Images, r.Volumes
	snapshots, databases := r.VolumeSnapshots, r.Databases
	count := func(present bool, n func() int) int {
		if !present {
			return 0
		}
		return n()
	}
	return provider.Output{
		"name":                 t.Name,
		"totalResourceCount":   r.Count,
		"dropletsCount":        count(droplets != nil, func() int { return droplets.Count }),
		"imagesCount":          count(images != nil, func() int { return images.Count }),
		"volumesCount":         count(volumes != nil, func() int { return volumes.Count }),
		"volumeSnapshotsCount": count(snapshots != nil, func() int { return snapshots.Count }),
		"databasesCount":       count(databases != nil, func() int { return databases.Count }),
	}
}

// tagsProperty is the list of tags of a taggable resource.
func tagsProperty() provider.Property {
	return provider.Property{Type: provider.ListOf(provider.String), Set: true}
}

// retag brings a resource's tags from old to in.
func (c *cloud) retag(ctx context.Context, id string, kind godo.ResourceType, old, in provider.Values) error {
	had, want := old.Strings("tags"), in.Strings("tags")
	resources := []godo.Resource{{ID: id, Type: kind}}
	for _, name := range had {
		if slices.Contains(want, name) {
			continue
		}
		if _, err := c.Tags.UntagResources(ctx, name, &godo.UntagResourcesRequest{Resources: resources}); err != nil {
			return fmt.Errorf("remove tag %q: %w", name, err)
		}
	}
	for _, name := range want {
		if slices.Contains(had, name) {
			continue
		}
		t, _, err := c.Tags.Create(ctx, &godo.TagCreateRequest{Name: name})
		if err != nil {
			return fmt.Errorf("create tag %q: %w", name, err)
		}
		if _, err := c.Tags.TagResources(ctx, t.Name, &godo.TagResourcesRequest{Resources: resources}); err != nil {
			return fmt.Errorf("add tag %q: %w", name, err)
		}
	}
	return nil
}
