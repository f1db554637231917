package digitalocean

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/digitalocean/godo"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

func (c *cloud) volumeAttachment() *provider.Resource {
	return &provider.Resource{
		Inputs: provider.Schema{
			"dropletId": {Type: provider.Int, Required: true, ForceNew: true},
			"volumeId":  {Type: provider.String, Required: true, ForceNew: true},
		},
		Create: func(ctx context.Context, in provider.Values) (string, provider.Output, error) {
			droplet, volume := in.Int("dropletId"), in.String("volumeId")
			v, _, err := c.Storage.GetVolume(ctx, volume)
			if err != nil {
				return "", nil, fmt.Errorf("read volume %q: %w", volume, err)
			}
			if !slices.Contains(v.DropletIDs, droplet) {
				if err := c.attach(ctx, volume, droplet); err != nil {
					return "", nil, err
				}
			}
			id, err := pairID(fmt.Sprintf("%d-%s-", droplet, volume))
			return id, provider.Output{}, err
		},
		Read: func(ctx context.Context, _ string, state provider.Values) (provider.Output, error) {
			v, _, err := c.Storage.GetVolume(ctx, state.String("volumeId"))
			if err != nil {
				return nil, found(err)
			}
			if !slices.Contains(v.DropletIDs, state.Int("dropletId")) {
				return nil, provider.ErrNotFound
			}
			return provider.Output{}, nil
		},
		Delete: func(ctx context.Context, _ string, state provider.Values) error {
			return c.detach(ctx, state.String("volumeId"), state.Int("dropletId"))
		},
	}
}

// attach attaches a volume, waiting while the droplet is busy.
func (c *cloud) attach(ctx context.Context, volume string, droplet int) error {
	return provider.Retry(ctx, c.poll, attachLimit, pending, func() error {
		a, _, err := c.StorageActions.Attach(ctx, volume, droplet)
		if err != nil {
			return fmt.Errorf("attach volume %q to droplet %d: %w", volume, droplet, err)
		}
		return c.finish(ctx, "volume to attach", a)
	})
}

// detach detaches a volume, waiting while the droplet is busy. One that is not
// attached any more is no error.
func (c *cloud) detach(ctx context.Context, volume string, droplet int) error {
	return provider.Retry(ctx, c.poll, attachLimit, pending, func() error {
		a, _, err := c.StorageActions.DetachByDropletID(ctx, volume, droplet)
		if status(err) == http.StatusNotFound {
			return nil
		}
		if err != nil {
			return fmt.Errorf("detach volume %q from droplet %d: %w", volume, droplet, err)
		}
		return c.finish(ctx, "volume to detach", a)
	})
}

// pairID makes up the id of a resource that the API has none for.
func pairID(prefix string) (string, error) {
	id, err := resource.NewUniqueHex(prefix, 12, 0)
	if err != nil {
		return "", fmt.Errorf("make up an id: %w", err)
	}
	return id, nil
}

func (c *cloud) reservedIPAssignment() *provider.Resource {
	return &provider.Resource{
		Inputs: provider.Schema{
			"ipAddress": {Type: provider.String, Required: true, ForceNew: true},
			"dropletId": {Type: provider.Int, Required: true, ForceNew: true},
		},
		Create: func(ctx context.Context, in provider.Values) (string, provider.Output, error) {
			ip, droplet := in.String("ipAddress"), in.Int("dropletId")
			if err := c.assign(ctx, ip, droplet); err != nil {
				return "", nil, err
			}
			id, err := pairID(fmt.Sprintf("%d-%s-", droplet, ip))
			return id, provider.Output{}, err
		},
		Read: func(ctx context.Context, _ string, state provider.Values) (provider.Output, error) {
			ip, _, err := c.ReservedIPs.Get(ctx, state.String("ipAddress"))
			if err != nil {
				return nil, found(err)
			}
			if !assignedTo(ip, state.Int("dropletId")) {
				return nil, provider.ErrNotFound
			}
			return provider.Output{}, nil
		},
		Delete: func(ctx context.Context, _ string, state provider.Values) error {
			address := state.String("ipAddress")
			ip, _, err := c.ReservedIPs.Get(ctx, address)
			if err != nil {
				return gone(err)
			}
			if !assignedTo(ip, state.Int("dropletId")) {
				return nil
			}
			return c.unassign(ctx, address)
		},
	}
}

func assignedTo(ip *godo.ReservedIP, droplet int) bool {
	return ip.Droplet != nil && ip.Droplet.ID == droplet
}
