package hcloud

import (
	"context"
	"fmt"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

func (c *cloud) volumeAttachment() *provider.Resource {
	read := func(ctx context.Context, id string, _ provider.Values) (provider.Output, error) {
		n, err := number(id)
		if err != nil {
			return nil, err
		}
		v, _, err := c.Volume.GetByID(ctx, n)
		if v, err = present(v, err); err != nil {
			return nil, err
		}
		if v.Server == nil {
			return nil, provider.ErrNotFound
		}
		return provider.Output{"serverId": v.Server.ID, "volumeId": v.ID}, nil
	}
	return &provider.Resource{
		Inputs: provider.Schema{
			"volumeId": {Type: provider.Int, Required: true, ForceNew: true},
			"serverId": {Type: provider.Int, Required: true, ForceNew: true},
			// The official provider cannot change it either: a change makes
			// its update fail.
			"automount": {Type: provider.Bool, Computed: true},
		},
		Create: func(ctx context.Context, in provider.Values) (string, provider.Output, error) {
			n := int64(in.Int("volumeId"))
			if err := c.attachVolume(ctx, n, in); err != nil {
				return "", nil, err
			}
			out, err := read(ctx, text(n), in)
			return text(n), out, err
		},
		Read: read,
		Delete: func(ctx context.Context, id string, _ provider.Values) error {
			n, err := number(id)
			if err != nil {
				return err
			}
			v, _, err := c.Volume.GetByID(ctx, n)
			if err != nil || v == nil {
				return gone(err)
			}
			return c.detachVolume(ctx, v)
		},
	}
}

// attachVolume attaches a volume to the server named in the inputs.
func (c *cloud) attachVolume(ctx context.Context, volume int64, in provider.Values) error {
	opts := hcloud.VolumeAttachOpts{Server: &hcloud.Server{ID: int64(in.Int("serverId"))}}
	if in.Bool("automount") {
		opts.Automount = hcloud.Ptr(true)
	}
	err := c.while(ctx, retryLimit, []hcloud.ErrorCode{hcloud.ErrorCodeLocked}, func() (*hcloud.Action, error) {
		a, _, err := c.Volume.AttachWithOpts(ctx, &hcloud.Volume{ID: volume}, opts)
		return a, err
	})
	if err != nil {
		return fmt.Errorf("attach volume %d to server %d: %w", volume, in.Int("serverId"), err)
	}
	return nil
}

// detachVolume detaches a volume that is attached.
func (c *cloud) detachVolume(ctx context.Context, v *hcloud.Volume) error {
	if v.Server == nil {
		return nil
	}
	err := c.while(ctx, retryLimit, []hcloud.ErrorCode{hcloud.ErrorCodeLocked}, func() (*hcloud.Action, error) {
		a, _, err := c.Volume.Detach(ctx, v)
		return a, gone(err)
	})
	if err != nil {
		return fmt.Errorf("detach volume %d: %w", v.ID, err)
	}
	return nil
}
