package hcloud

import (
	"context"
	"fmt"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

func (c *cloud) placementGroup() *provider.Resource {
	read := func(ctx context.Context, id string, _ provider.Values) (provider.Output, error) {
		n, err := number(id)
		if err != nil {
			return nil, err
		}
		g, _, err := c.PlacementGroup.GetByID(ctx, n)
		if g, err = present(g, err); err != nil {
			return nil, err
		}
		return provider.Output{
			"name": g.Name, "type": string(g.Type), "labels": g.Labels, "servers": append([]int64{}, g.Servers...),
		}, nil
	}
	return &provider.Resource{
		Inputs: provider.Schema{
			"name":   {Type: provider.String, Required: true, AutoName: 255},
			"type":   {Type: provider.String, Required: true, OneOf: []string{"spread"}},
			"labels": labels(),
		},
		Outputs: map[string]provider.Type{"servers": provider.ListOf(provider.Int)},
		Create: func(ctx context.Context, in provider.Values) (string, provider.Output, error) {
			res, _, err := c.PlacementGroup.Create(ctx, hcloud.PlacementGroupCreateOpts{
				Name: in.String("name"), Type: hcloud.PlacementGroupType(in.String("type")), Labels: in.StringMap("labels"),
			})
			if err != nil {
				return "", nil, fmt.Errorf("create placement group: %w", err)
			}
			id := text(res.PlacementGroup.ID)
			if err := c.finish(ctx, res.Action); err != nil {
				return id, nil, fmt.Errorf("wait for placement group: %w", err)
			}
			out, err := read(ctx, id, in)
			return id, out, err
		},
		Read: read,
		Update: func(ctx context.Context, id string, _, in provider.Values) (provider.Output, error) {
			n, err := number(id)
			if err != nil {
				return nil, err
			}
			_, _, err = c.PlacementGroup.Update(ctx, &hcloud.PlacementGroup{ID: n}, hcloud.PlacementGroupUpdateOpts{
				Name: in.String("name"), Labels: in.StringMap("labels"),
			})
			if err != nil {
				return nil, fmt.Errorf("update placement group: %w", err)
			}
			return read(ctx, id, in)
		},
		Delete: func(ctx context.Context, id string, _ provider.Values) error {
			n, err := number(id)
			if err != nil {
				return err
			}
			_, err = c.PlacementGroup.Delete(ctx, &hcloud.PlacementGroup{ID: n})
			return gone(err)
		},
	}
}
