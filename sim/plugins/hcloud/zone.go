package hcloud

import (
	"context"
	"fmt"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

// defaultTTL is a zone's, in seconds.
const defaultTTL = 3600

func (c *cloud) zone() *provider.Resource {
	return &provider.Resource{
		Inputs: provider.Schema{
			"name":             {Type: provider.String, Required: true, ForceNew: true, AutoName: 255},
			"mode":             {Type: provider.String, Required: true, ForceNew: true, OneOf: []string{"primary", "secondary"}},
			"ttl":              {Type: provider.Int, Default: defaultTTL},
			"labels":           labels(),
			"deleteProtection": {Type: provider.Bool, Computed: true},
		},
		Outputs: map[string]provider.Type{
			"authoritativeNameservers": provider.Object(provider.Schema{
				"assigneds": {Type: provider.ListOf(provider.String)},
			}),
			"registrar": provider.String,
		},
		Create: c.createZone, Read: c.readZone, Update: c.updateZone,
		Delete: func(ctx context.Context, id string, _ provider.Values) error {
			n, err := number(id)
			if err != nil {
				return err
			}
			res, _, err := c.Zone.Delete(ctx, &hcloud.Zone{ID: n})
			if err != nil {
				return gone(err)
			}
			return c.finish(ctx, res.Action)
		},
	}
}

func (c *cloud) createZone(ctx context.Context, in provider.Values) (string, provider.Output, error) {
	if in.String("mode") != string(hcloud.ZoneModePrimary) {
		return "", nil, fmt.Errorf("zone %q: mode %q is not modelled by the stand-in", in.String("name"), in.String("mode"))
	}
	res, _, err := c.Zone.Create(ctx, hcloud.ZoneCreateOpts{
		Name: in.String("name"), Mode: hcloud.ZoneMode(in.String("mode")),
		TTL: hcloud.Ptr(in.Int("ttl")), Labels: in.StringMap("labels"),
	})
	if err != nil {
		return "", nil, fmt.Errorf("create zone: %w", err)
	}
	id := text(res.Zone.ID)
	if err := c.finish(ctx, res.Action); err != nil {
		return id, nil, fmt.Errorf("wait for zone: %w", err)
	}
	if in.Has("deleteProtection") {
		if err := c.protectZone(ctx, res.Zone, in); err != nil {
			return id, nil, err
		}
	}
	out, err := c.readZone(ctx, id, in)
	return id, out, err
}

func (c *cloud) protectZone(ctx context.Context, z *hcloud.Zone, in provider.Values) error {
	a, _, err := c.Zone.ChangeProtection(ctx, z, hcloud.ZoneChangeProtectionOpts{
		Delete: hcloud.Ptr(in.Bool("deleteProtection")),
	})
	if err == nil {
		err = c.finish(ctx, a)
	}
	if err != nil {
		return fmt.Errorf("protect zone: %w", err)
	}
	return nil
}

func (c *cloud) readZone(ctx context.Context, id string, _ provider.Values) (provider.Output, error) {
	n, err := number(id)
	if err != nil {
		return nil, err
	}
	z, _, err := c.Zone.GetByID(ctx, n)
	if z, err = present(z, err); err != nil {
		return nil, err
	}
	return provider.Output{
		"name": z.Name, "mode": string(z.Mode), "ttl": z.TTL, "labels": z.Labels,
		"deleteProtection": z.Protection.Delete, "registrar": string(z.Registrar),
		"authoritativeNameservers": map[string]any{
			"assigneds": append([]string{}, z.AuthoritativeNameservers.Assigned...),
		},
	}, nil
}

func (c *cloud) updateZone(ctx context.Context, id string, old, in provider.Values) (provider.Output, error) {
	n, err := number(id)
	if err != nil {
		return nil, err
	}
	z := &hcloud.Zone{ID: n}
	if in.Int("ttl") != old.Int("ttl") {
		a, _, err := c.Zone.ChangeTTL(ctx, z, hcloud.ZoneChangeTTLOpts{TTL: in.Int("ttl")})
		if err == nil {
			err = c.finish(ctx, a)
		}
		if err != nil {
			return nil, fmt.Errorf("change TTL of zone: %w", err)
		}
	}
	if in.Has("deleteProtection") && in.Bool("deleteProtection") != old.Bool("deleteProtection") {
		if err := c.protectZone(ctx, z, in); err != nil {
			return nil, err
		}
	}
	if _, _, err := c.Zone.Update(ctx, z, hcloud.ZoneUpdateOpts{Labels: in.StringMap("labels")}); err != nil {
		return nil, fmt.Errorf("update zone: %w", err)
	}
	return c.readZone(ctx, id, in)
}
