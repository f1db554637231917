package digitalocean

import (
	"context"
	"fmt"
	"strings"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/digitalocean/godo"
)

var filesystems = []string{"ext4", "xfs"}

func (c *cloud) volume() *provider.Resource {
	return &provider.Resource{
		Inputs: provider.Schema{
			"region":                 {Type: provider.String, Required: true, ForceNew: true, Same: foldCase},
			"name":                   {Type: provider.String, Required: true, ForceNew: true, AutoName: 64},
			"size":                   {Type: provider.Int, Required: true},
			"description":            {Type: provider.String, ForceNew: true},
			"snapshotId":             {Type: provider.String, ForceNew: true},
			"initialFilesystemType":  {Type: provider.String, ForceNew: true, OneOf: filesystems},
			"initialFilesystemLabel": {Type: provider.String, ForceNew: true},
			"filesystemType":         {Type: provider.String, Computed: true, OneOf: filesystems},
			"tags":                   tagsProperty(),
		},
		Outputs: map[string]provider.Type{
			"volumeUrn": provider.String, "dropletIds": provider.ListOf(provider.Int),
			"filesystemLabel": provider.String,
		},
		Create: c.createVolume,
		Read:   c.readVolume,
		Update: c.updateVolume,
		Delete: func(ctx context.Context, id string, _ provider.Values) error {
			_, err := c.Storage.DeleteVolume(ctx, id)
			return gone(err)
		},
	}
}

func (c *cloud) createVolume(ctx context.Context, in provider.Values) (string, provider.Output, error) {
	v, _, err := c.Storage.CreateVolume(ctx, &godo.VolumeCreateRequest{
		Region: strings.ToLower(in.String("region")), Name: in.String("name"),
		Description: in.String("description"), SizeGigaBytes: int64(in.Int("size")),
		SnapshotID:      in.String("snapshotId"),
		FilesystemType:  first(in.String("initialFilesystemType"), in.String("filesystemType")),
		FilesystemLabel: in.String("initialFilesystemLabel"), Tags: in.Strings("tags"),
	})
	if err != nil {
		return "", nil, fmt.Errorf("create volume: %w", err)
	}
	out, err := c.readVolume(ctx, v.ID, in)
	return v.ID, out, err
}

func (c *cloud) readVolume(ctx context.Context, id string, _ provider.Values) (provider.Output, error) {
	v, _, err := c.Storage.GetVolume(ctx, id)
	if err != nil {
		return nil, found(err)
	}
	out := provider.Output{
		"name": v.Name, "size": int(v.SizeGigaBytes), "volumeUrn": v.URN(),
		"tags": nonNil(v.Tags), "dropletIds": nonNil(v.DropletIDs),
		"filesystemType": v.FilesystemType, "filesystemLabel": v.FilesystemLabel,
	}
	if v.Region != nil {
		out["region"] = v.Region.Slug
	}
	if v.Description != "" {
		out["description"] = v.Description
	}
	return out, nil
}

func (c *cloud) updateVolume(ctx context.Context, id string, old, in provider.Values) (provider.Output, error) {
	if size := in.Int("size"); size != old.Int("size") {
		if size < old.Int("size") {
			return nil, fmt.Errorf("resize volume from %d to %d GB: a volume can only grow", old.Int("size"), size)
		}
		a, _, err := c.StorageActions.Resize(ctx, id, size, strings.ToLower(in.String("region")))
		if err != nil {
			return nil, fmt.Errorf("resize volume: %w", err)
		}
		if err := c.finish(ctx, "volume to grow", a); err != nil {
			return nil, err
		}
	}
	if err := c.retag(ctx, id, godo.VolumeResourceType, old, in); err != nil {
		return nil, err
	}
	return c.readVolume(ctx, id, in)
}

// nonNil makes an absent list an empty one.
func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
