package hcloud

import (
	"context"
	"fmt"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

func (c *cloud) zoneRRSet() *provider.Resource {
	return &provider.Resource{
		Inputs: provider.Schema{
			"zone":             {Type: provider.String, Required: true, ForceNew: true},
			"name":             {Type: provider.String, Required: true, ForceNew: true, AutoName: 255},
			"type":             {Type: provider.String, Required: true, ForceNew: true},
			"ttl":              {Type: provider.Int},
			"labels":           labels(),
			"changeProtection": {Type: provider.Bool, Computed: true},
			"records": {Required: true, Set: true, Type: provider.ListOf(provider.Object(provider.Schema{
				"value": {Type: provider.String, Required: true}, "comment": {Type: provider.String},
			}))},
		},
		Create: c.createRRSet, Read: c.readRRSet, Update: c.updateRRSet,
		Delete: func(ctx context.Context, id string, state provider.Values) error {
			res, _, err := c.Zone.DeleteRRSet(ctx, rrset(id, state))
			if err != nil {
				return gone(err)
			}
			return c.finish(ctx, res.Action)
		},
	}
}

// rrset names a record set for the client: zone, name and type are its id.
func rrset(id string, v provider.Values) *hcloud.ZoneRRSet {
	return &hcloud.ZoneRRSet{
		Zone: &hcloud.Zone{Name: v.String("zone")}, ID: id,
		Name: v.String("name"), Type: hcloud.ZoneRRSetType(v.String("type")),
	}
}

func records(in provider.Values) []hcloud.ZoneRRSetRecord {
	var out []hcloud.ZoneRRSetRecord
	for _, r := range in.Objects("records") {
		out = append(out, hcloud.ZoneRRSetRecord{Value: r.String("value"), Comment: r.String("comment")})
	}
	return out
}

func ttl(in provider.Values) *int {
	if !in.Has("ttl") {
		return nil
	}
	return hcloud.Ptr(in.Int("ttl"))
}

func (c *cloud) createRRSet(ctx context.Context, in provider.Values) (string, provider.Output, error) {
	zone := &hcloud.Zone{Name: in.String("zone")}
	res, _, err := c.Zone.CreateRRSet(ctx, zone, hcloud.ZoneRRSetCreateOpts{
		Name: in.String("name"), Type: hcloud.ZoneRRSetType(in.String("type")), TTL: ttl(in),
		Labels: in.StringMap("labels"), Records: records(in),
	})
	if err != nil {
		return "", nil, fmt.Errorf("create record set: %w", err)
	}
	id := res.RRSet.ID
	if err := c.finish(ctx, res.Action); err != nil {
		return id, nil, fmt.Errorf("wait for record set: %w", err)
	}
	if in.Has("changeProtection") {
		if err := c.protectRRSet(ctx, rrset(id, in), in.Bool("changeProtection")); err != nil {
			return id, nil, err
		}
	}
	out, err := c.readRRSet(ctx, id, in)
	return id, out, err
}

func (c *cloud) protectRRSet(ctx context.Context, r *hcloud.ZoneRRSet, protect bool) error {
	a, _, err := c.Zone.ChangeRRSetProtection(ctx, r, hcloud.ZoneRRSetChangeProtectionOpts{Change: &protect})
	if err == nil {
		err = c.finish(ctx, a)
	}
	if err != nil {
		return fmt.Errorf("protect record set: %w", err)
	}
	return nil
}

func (c *cloud) readRRSet(ctx context.Context, id string, state provider.Values) (provider.Output, error) {
	zone := &hcloud.Zone{Name: state.String("zone")}
	r, _, err := c.Zone.GetRRSetByID(ctx, zone, id)
	if r, err = present(r, err); err != nil {
		return nil, err
	}
	list := []any{}
	for _, rec := range r.Records {
		m := map[string]any{"value": rec.Value}
		if rec.Comment != "" {
			m["comment"] = rec.Comment
		}
		list = append(list, m)
	}
	out := provider.Output{
		"zone": zone.Name, "name": r.Name, "type": string(r.Type), "labels": r.Labels, "records": list,
		"changeProtection": r.Protection.Change, "ttl": nil,
	}
	if r.TTL != nil {
		out["ttl"] = *r.TTL
	}
	return out, nil
}

// updateRRSet lifts a protection first and sets one last.
func (c *cloud) updateRRSet(ctx context.Context, id string, old, in provider.Values) (provider.Output, error) {
	r := rrset(id, in)
	protect := in.Bool("changeProtection")
	changed := in.Has("changeProtection") && protect != old.Bool("changeProtection")
	if changed && !protect {
		if err := c.protectRRSet(ctx, r, false); err != nil {
			return nil, err
		}
	}
	var actions []*hcloud.Action
	if !old.Same(in, "ttl") {
		a, _, err := c.Zone.ChangeRRSetTTL(ctx, r, hcloud.ZoneRRSetChangeTTLOpts{TTL: ttl(in)})
		if err != nil {
			return nil, fmt.Errorf("change TTL of record set: %w", err)
		}
		actions = append(actions, a)
	}
	if !old.Same(in, "records") {
		a, _, err := c.Zone.SetRRSetRecords(ctx, r, hcloud.ZoneRRSetSetRecordsOpts{Records: records(in)})
		if err != nil {
			return nil, fmt.Errorf("set records: %w", err)
		}
		actions = append(actions, a)
	}
	if err := c.finish(ctx, actions...); err != nil {
		return nil, fmt.Errorf("wait for record set: %w", err)
	}
	if _, _, err := c.Zone.UpdateRRSet(ctx, r, hcloud.ZoneRRSetUpdateOpts{Labels: in.StringMap("labels")}); err != nil {
		return nil, fmt.Errorf("update record set: %w", err)
	}
	if changed && protect {
		if err := c.protectRRSet(ctx, r, true); err != nil {
			return nil, err
		}
	}
	return c.readRRSet(ctx, id, in)
}
