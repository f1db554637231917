package hcloud

import (
	"context"
	"fmt"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

func (c *cloud) volume() *provider.Resource {
	return &provider.Resource{
		Inputs: provider.Schema{
			"name":             {Type: provider.String, Required: true, AutoName: 255},
			"size":             {Type: provider.Int, Required: true},
			"location":         {Type: provider.String, Computed: true, ForceNew: true},
			"serverId":         {Type: provider.Int, Computed: true},
			"labels":           labels(),
			"automount":        {Type: provider.Bool},
			"format":           {Type: provider.String, OneOf: []string{"ext4", "xfs"}},
			"deleteProtection": protection(),
		},
		Outputs: map[string]provider.Type{"linuxDevice": provider.String},
		Create:  c.createVolume, Read: c.readVolume, Update: c.updateVolume,
		Delete: func(ctx context.Context, id string, _ provider.Values) error {
			n, err := number(id)
			if err != nil {
				return err
			}
			v, _, err := c.Volume.GetByID(ctx, n)
			if err != nil || v == nil {
				return gone(err)
			}
			if err := c.detachVolume(ctx, v); err != nil {
				return err
			}
			final := func(err error) bool { return !hcloud.IsError(err, hcloud.ErrorCodeProtected) }
			return provider.Retry(ctx, c.pause, retryLimit, final, func() error {
				_, err := c.Volume.Delete(ctx, v)
				return gone(err)
			})
		},
	}
}

func (c *cloud) createVolume(ctx context.Context, in provider.Values) (string, provider.Output, error) {
	opts := hcloud.VolumeCreateOpts{Name: in.String("name"), Size: in.Int("size"), Labels: in.StringMap("labels")}
	if in.Has("serverId") {
		opts.Server = &hcloud.Server{ID: int64(in.Int("serverId"))}
	}
	if in.Has("location") {
		opts.Location = &hcloud.Location{Name: in.String("location")}
	}
	if in.Bool("automount") {
		opts.Automount = hcloud.Ptr(true)
	}
	if in.Has("format") {
		opts.Format = hcloud.Ptr(in.String("format"))
	}
	var res hcloud.VolumeCreateResult
	err := provider.Retry(ctx, c.pause, retryLimit, isCode(hcloud.ErrorCodeLocked), func() error {
		var err error
		res, _, err = c.Volume.Create(ctx, opts)
		return err
	})
	if err != nil {
		return "", nil, fmt.Errorf("create volume: %w", err)
	}
	id := text(res.Volume.ID)
	if err := c.finish(ctx, append([]*hcloud.Action{res.Action}, res.NextActions...)...); err != nil {
		return id, nil, fmt.Errorf("wait for volume: %w", err)
	}
	if in.Bool("deleteProtection") {
		if err := c.protectVolume(ctx, res.Volume, true); err != nil {
			return id, nil, err
		}
	}
	out, err := c.readVolume(ctx, id, in)
	return id, out, err
}

func (c *cloud) protectVolume(ctx context.Context, v *hcloud.Volume, protect bool) error {
	a, _, err := c.Volume.ChangeProtection(ctx, v, hcloud.VolumeChangeProtectionOpts{Delete: &protect})
	if err != nil {
		return fmt.Errorf("protect volume: %w", err)
	}
	return c.finish(ctx, a)
}

func (c *cloud) readVolume(ctx context.Context, id string, _ provider.Values) (provider.Output, error) {
	n, err := number(id)
	if err != nil {
		return nil, err
	}
	v, _, err := c.Volume.GetByID(ctx, n)
	if v, err = present(v, err); err != nil {
		return nil, err
	}
	out := provider.Output{
		"name": v.Name, "size": v.Size, "labels": v.Labels, "linuxDevice": v.LinuxDevice,
		"deleteProtection": v.Protection.Delete, "serverId": 0,
	}
	if v.Location != nil {
		out["location"] = v.Location.Name
	}
	if v.Server != nil {
		out["serverId"] = v.Server.ID
	}
	return out, nil
}

func (c *cloud) updateVolume(ctx context.Context, id string, old, in provider.Values) (provider.Output, error) {
	n, err := number(id)
	if err != nil {
		return nil, err
	}
	v, _, err := c.Volume.GetByID(ctx, n)
	if v, err = present(v, err); err != nil {
		return nil, err
	}
	_, _, err = c.Volume.Update(ctx, v, hcloud.VolumeUpdateOpts{Name: in.String("name"), Labels: in.StringMap("labels")})
	if err != nil {
		return nil, fmt.Errorf("update volume: %w", err)
	}
	if in.Has("serverId") && in.Int("serverId") != old.Int("serverId") {
		if err := c.detachVolume(ctx, v); err != nil {
			return nil, err
		}
		if in.Int("serverId") != 0 {
			if err := c.attachVolume(ctx, n, in); err != nil {
				return nil, err
			}
		}
	}
	if in.Int("size") != old.Int("size") {
		a, _, err := c.Volume.Resize(ctx, v, in.Int("size"))
		if err == nil {
			err = c.finish(ctx, a)
		}
		if err != nil {
			return nil, fmt.Errorf("resize volume: %w", err)
		}
	}
	if protect := in.Bool("deleteProtection"); protect != old.Bool("deleteProtection") {
		if err := c.protectVolume(ctx, v, protect); err != nil {
			return nil, err
		}
	}
	return c.readVolume(ctx, id, in)
}
