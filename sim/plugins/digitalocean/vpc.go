package digitalocean

import (
	"context"
	"fmt"
	"net/http"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/digitalocean/godo"
)

func (c *cloud) vpc() *provider.Resource {
	read := func(ctx context.Context, id string, _ provider.Values) (provider.Output, error) {
		v, _, err := c.VPCs.Get(ctx, id)
		if err != nil {
			return nil, found(err)
		}
		return provider.Output{
			"name": v.Name, "region": v.RegionSlug, "description": v.Description, "ipRange": v.IPRange,
			"vpcUrn": v.URN, "default": v.Default, "createdAt": v.CreatedAt.UTC().String(),
		}, nil
	}
	return &provider.Resource{
		Inputs: provider.Schema{
			"name":        {Type: provider.String, Required: true, AutoName: 255},
			"region":      {Type: provider.String, Required: true, ForceNew: true},
			"description": {Type: provider.String},
			"ipRange":     {Type: provider.String, Computed: true, ForceNew: true},
		},
		Outputs: map[string]provider.Type{
			"vpcUrn": provider.String, "default": provider.Bool, "createdAt": provider.String,
		},
		Create: func(ctx context.Context, in provider.Values) (string, provider.Output, error) {
			c.vpcs.Lock()
			defer c.vpcs.Unlock()
			v, _, err := c.VPCs.Create(ctx, &godo.VPCCreateRequest{
				Name: in.String("name"), RegionSlug: in.String("region"),
				Description: in.String("description"), IPRange: in.String("ipRange"),
			})
			if err != nil {
				return "", nil, fmt.Errorf("create VPC: %w", err)
			}
			out, err := read(ctx, v.ID, in)
			return v.ID, out, err
		},
		Read: read,
		Update: func(ctx context.Context, id string, old, in provider.Values) (provider.Output, error) {
			_, _, err := c.VPCs.Update(ctx, id, &godo.VPCUpdateRequest{
				Name: in.String("name"), Description: in.String("description"),
				Default: godo.PtrTo(old.Bool("default")),
			})
			if err != nil {
				return nil, fmt.Errorf("update VPC: %w", err)
			}
			return read(ctx, id, in)
		},
		Delete: func(ctx context.Context, id string, _ provider.Values) error {
			// Members that are still detaching make the API refuse for a while.
			members := func(err error) bool {
				return status(err) == http.StatusForbidden || status(err) == http.StatusConflict
			}
			return provider.Retry(ctx, c.poll, vpcLimit, members, func() error {
				_, err := c.VPCs.Delete(ctx, id)
				return gone(err)
			})
		},
	}
}

// gone lets the deletion of what is gone already succeed.
func gone(err error) error {
	if status(err) == http.StatusNotFound {
		return nil
	}
	return err
}
