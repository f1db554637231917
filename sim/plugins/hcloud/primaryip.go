package hcloud

import (
	"context"
	"fmt"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

func (c *cloud) primaryIP() *provider.Resource {
	return &provider.Resource{
		Inputs: provider.Schema{
			"name":             {Type: provider.String, Required: true, AutoName: 255},
			"type":             {Type: provider.String, Required: true, ForceNew: true, OneOf: []string{"ipv4", "ipv6"}},
			"location":         {Type: provider.String, Computed: true, ForceNew: true},
			"assigneeId":       {Type: provider.Int, Computed: true},
			"assigneeType":     {Type: provider.String, Computed: true, OneOf: []string{"server"}},
			"autoDelete":       {Type: provider.Bool, Default: false},
			"labels":           labels(),
			"deleteProtection": protection(),
		},
		Outputs: map[string]provider.Type{"ipAddress": provider.String, "ipNetwork": provider.String},
		Create:  c.createPrimaryIP, Read: c.readPrimaryIP, Update: c.updatePrimaryIP, Delete: c.deletePrimaryIP,
	}
}

func (c *cloud) createPrimaryIP(ctx context.Context, in provider.Values) (string, provider.Output, error) {
	if in.Has("location") == in.Has("assigneeId") {
		return "", nil, fmt.Errorf("primary IP %q: exactly one of location and assigneeId must be set", in.String("name"))
	}
	opts := hcloud.PrimaryIPCreateOpts{
		Name: in.String("name"), Type: hcloud.PrimaryIPType(in.String("type")), Location: in.String("location"),
		AutoDelete: hcloud.Ptr(in.Bool("autoDelete")), Labels: in.StringMap("labels"),
	}
	if in.Has("assigneeId") {
		opts.AssigneeID, opts.AssigneeType = hcloud.Ptr(int64(in.Int("assigneeId"))), in.String("assigneeType")
	}
	res, _, err := c.PrimaryIP.Create(ctx, opts)
	if err != nil {
		return "", nil, fmt.Errorf("create primary IP: %w", err)
	}
	id := text(res.PrimaryIP.ID)
	if err := c.finish(ctx, res.Action); err != nil {
		return id, nil, fmt.Errorf("wait for primary IP: %w", err)
	}
	if in.Bool("deleteProtection") {
		if err := c.protectPrimaryIP(ctx, res.PrimaryIP.ID, true); err != nil {
			return id, nil, err
		}
	}
	out, err := c.readPrimaryIP(ctx, id, in)
	return id, out, err
}

func (c *cloud) protectPrimaryIP(ctx context.Context, id int64, protect bool) error {
	a, _, err := c.PrimaryIP.ChangeProtection(ctx, hcloud.PrimaryIPChangeProtectionOpts{ID: id, Delete: protect})
	if err != nil {
		return fmt.Errorf("protect primary IP: %w", err)
	}
	return c.finish(ctx, a)
}

func (c *cloud) readPrimaryIP(ctx context.Context, id string, _ provider.Values) (provider.Output, error) {
	n, err := number(id)
	if err != nil {
		return nil, err
	}
	p, _, err := c.PrimaryIP.GetByID(ctx, n)
	if p, err = present(p, err); err != nil {
		return nil, err
	}
	out := provider.Output{
		"name": p.Name, "type": string(p.Type), "ipAddress": p.IP.String(), "assigneeId": p.AssigneeID,
		"assigneeType": p.AssigneeType, "autoDelete": p.AutoDelete, "labels": p.Labels,
		"deleteProtection": p.Protection.Delete,
	}
	if p.Location != nil {
		out["location"] = p.Location.Name
	}
	if p.Type == hcloud.PrimaryIPTypeIPv6 && p.Network != nil {
		out["ipNetwork"] = p.Network.String()
	}
	return out, nil
}

func (c *cloud) updatePrimaryIP(ctx context.Context, id string, old, in provider.Values) (provider.Output, error) {
	n, err := number(id)
	if err != nil {
		return nil, err
	}
	if protect := in.Bool("deleteProtection"); protect != old.Bool("deleteProtection") {
		if err := c.protectPrimaryIP(ctx, n, protect); err != nil {
			return nil, err
		}
	}
	if in.Has("assigneeId") && in.Int("assigneeId") != old.Int("assigneeId") {
		if err := c.reassign(ctx, n, old, in); err != nil {
			return nil, err
		}
	}
	set := in.StringMap("labels")
	_, _, err = c.PrimaryIP.Update(ctx, &hcloud.PrimaryIP{ID: n}, hcloud.PrimaryIPUpdateOpts{
		Name: in.String("name"), Labels: &set, AutoDelete: hcloud.Ptr(in.Bool("autoDelete")),
	})
	if err != nil {
		return nil, fmt.Errorf("update primary IP: %w", err)
	}
	return c.readPrimaryIP(ctx, id, in)
}

// reassign moves an address from one server to another.
func (c *cloud) reassign(ctx context.Context, id int64, old, in provider.Values) error {
	if old.Int("assigneeId") != 0 {
		a, _, err := c.PrimaryIP.Unassign(ctx, id)
		if err == nil {
			err = c.finish(ctx, a)
		}
		if err != nil {
			return fmt.Errorf("unassign primary IP %d: %w", id, err)
		}
	}
	if in.Int("assigneeId") == 0 {
		return nil
	}
	a, _, err := c.PrimaryIP.Assign(ctx, hcloud.PrimaryIPAssignOpts{
		ID: id, AssigneeID: int64(in.Int("assigneeId")), AssigneeType: in.String("assigneeType"),
	})
	if err == nil {
		err = c.finish(ctx, a)
	}
	if err != nil {
		return fmt.Errorf("assign primary IP %d: %w", id, err)
	}
	return nil
}

// deletePrimaryIP takes the address from a server that still has it, which has
// to be off meanwhile. Errors of these steps are ignored, as the official
// provider ignores them: the server may be going as well.
func (c *cloud) deletePrimaryIP(ctx context.Context, id string, state provider.Values) error {
	n, err := number(id)
	if err != nil {
		return err
	}
	if server := int64(state.Int("assigneeId")); server != 0 {
		s, _, err := c.Server.GetByID(ctx, server)
		if err == nil && s != nil && (s.PublicNet.IPv4.ID == n || s.PublicNet.IPv6.ID == n) {
			a, _, _ := c.Server.Poweroff(ctx, s)
			_ = c.finish(ctx, a)
			a, _, _ = c.PrimaryIP.Unassign(ctx, n)
			_ = c.finish(ctx, a)
			a, _, _ = c.Server.Poweron(ctx, s)
			_ = c.finish(ctx, a)
		}
	}
	final := func(err error) bool { return !hcloud.IsError(err, hcloud.ErrorCodeProtected) }
	err = provider.Retry(ctx, c.pause, 2*retryLimit, final, func() error {
		_, err := c.PrimaryIP.Delete(ctx, &hcloud.PrimaryIP{ID: n})
		return gone(err)
	})
	if err != nil {
		return fmt.Errorf("delete primary IP %d: %w", n, err)
	}
	return nil
}
