package hcloud

import (
	"context"
	"fmt"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

// updateServer makes every change in place, each by its own action.
func (c *cloud) updateServer(ctx context.Context, id string, old, in provider.Values) (provider.Output, error) {
	n, err := number(id)
	if err != nil {
		return nil, err
	}
	s, _, err := c.Server.GetByID(ctx, n)
	if s, err = present(s, err); err != nil {
		return nil, err
	}
	if !old.Same(in, "name") || !old.Same(in, "labels") {
		_, _, err := c.Server.Update(ctx, s, hcloud.ServerUpdateOpts{
			Name: in.String("name"), Labels: in.StringMap("labels"),
		})
		if err != nil {
			return nil, fmt.Errorf("update server: %w", err)
		}
	}
	for _, step := range []struct {
		changed bool
		apply   func() error
	}{
		{!old.Same(in, "serverType"), func() error { return c.changeType(ctx, s, in) }},
		{old.Bool("backups") != in.Bool("backups"), func() error { return c.setBackups(ctx, s, in.Bool("backups")) }},
		{
			in.Has("firewallIds") && !in.Bool("ignoreRemoteFirewallIds"),
			func() error { return c.refirewall(ctx, s, in.Ints("firewallIds")) },
		},
		{
			in.Has("publicNets") && !old.Same(in, "publicNets"),
			func() error { return c.changePublicNet(ctx, s, in) },
		},
		{
			old.Int("placementGroupId") != in.Int("placementGroupId"),
			func() error { return c.changePlacement(ctx, s, int64(in.Int("placementGroupId"))) },
		},
		{
			old.Bool("deleteProtection") != in.Bool("deleteProtection") ||
				old.Bool("rebuildProtection") != in.Bool("rebuildProtection"),
			func() error { return c.protectServer(ctx, s, in) },
		},
	} {
		if !step.changed {
			continue
		}
		if err := step.apply(); err != nil {
			return nil, err
		}
	}
	out, err := c.readServer(ctx, id, in)
	if out != nil && in.Has("userData") {
		out["userData"] = old.String("userData")
	}
	return out, err
}

// changeType powers a running server off; the API powers it on again.
func (c *cloud) changeType(ctx context.Context, s *hcloud.Server, in provider.Values) error {
	if s.Status == hcloud.ServerStatusRunning {
		if err := c.power(ctx, s, false); err != nil {
			return err
		}
	}
	a, _, err := c.Server.ChangeType(ctx, s, hcloud.ServerChangeTypeOpts{
		ServerType: &hcloud.ServerType{Name: in.String("serverType")}, UpgradeDisk: !in.Bool("keepDisk"),
	})
	if err == nil {
		err = c.finish(ctx, a)
	}
	if err != nil {
		return fmt.Errorf("change type of server %d to %q: %w", s.ID, in.String("serverType"), err)
	}
	return nil
}

func (c *cloud) power(ctx context.Context, s *hcloud.Server, on bool) error {
	do := c.Server.Poweroff
	if on {
		do = c.Server.Poweron
	}
	a, _, err := do(ctx, s)
	if err == nil {
		err = c.finish(ctx, a)
	}
	if err != nil {
		return fmt.Errorf("power server %d (on: %t): %w", s.ID, on, err)
	}
	return nil
}

func (c *cloud) setBackups(ctx context.Context, s *hcloud.Server, on bool) error {
	var (
		a   *hcloud.Action
		err error
	)
	if on {
		a, _, err = c.Server.EnableBackup(ctx, s, "")
	} else {
		a, _, err = c.Server.DisableBackup(ctx, s)
	}
	if err == nil {
		err = c.finish(ctx, a)
	}
	if err != nil {
		return fmt.Errorf("switch backups of server %d: %w", s.ID, err)
	}
	return nil
}

func (c *cloud) protectServer(ctx context.Context, s *hcloud.Server, in provider.Values) error {
	a, _, err := c.Server.ChangeProtection(ctx, s, hcloud.ServerChangeProtectionOpts{
		Delete: hcloud.Ptr(in.Bool("deleteProtection")), Rebuild: hcloud.Ptr(in.Bool("rebuildProtection")),
	})
	if err == nil {
		err = c.finish(ctx, a)
	}
	if err != nil {
		return fmt.Errorf("protect server %d: %w", s.ID, err)
	}
	return nil
}

// changePlacement refuses what the official provider refuses: a running server
// cannot leave its group.
func (c *cloud) changePlacement(ctx context.Context, s *hcloud.Server, id int64) error {
	if s.PlacementGroup != nil {
		if s.Status != hcloud.ServerStatusOff {
			return fmt.Errorf("server %d: removing a running server from a placement group is not supported "+
				"in the provider; shut it down, apply again and start it", s.ID)
		}
		a, _, err := c.Server.RemoveFromPlacementGroup(ctx, s)
		if err == nil {
			err = c.finish(ctx, a)
		}
		if err != nil {
			return fmt.Errorf("remove server %d from its placement group: %w", s.ID, err)
		}
	}
	if id == 0 {
		return nil
	}
	a, _, err := c.Server.AddToPlacementGroup(ctx, s, &hcloud.PlacementGroup{ID: id})
	if err == nil {
		err = c.finish(ctx, a)
	}
	if err != nil {
		return fmt.Errorf("add server %d to placement group %d: %w", s.ID, id, err)
	}
	return nil
}

// changePublicNet exchanges primary IPs, for which the server has to be off.
// Addresses that the cloud made up are not deleted here.
func (c *cloud) changePublicNet(ctx context.Context, s *hcloud.Server, in provider.Values) error {
	if err := c.power(ctx, s, false); err != nil {
		return err
	}
	for _, p := range in.Objects("publicNets") {
		want := publicNet(p)
		for _, ip := range []struct {
			has  int64
			on   bool
			want *hcloud.PrimaryIP
		}{{s.PublicNet.IPv4.ID, want.EnableIPv4, want.IPv4}, {s.PublicNet.IPv6.ID, want.EnableIPv6, want.IPv6}} {
			if err := c.exchange(ctx, s.ID, ip.has, ip.on, ip.want); err != nil {
				return err
			}
		}
	}
	return c.power(ctx, s, true)
}

// exchange gives a server the wanted address of one family in place of the one
// it has.
func (c *cloud) exchange(ctx context.Context, server, has int64, on bool, want *hcloud.PrimaryIP) error {
	if want != nil && want.ID == has || want == nil && on {
		return nil
	}
	if has != 0 {
		a, _, err := c.PrimaryIP.Unassign(ctx, has)
		if err == nil {
			err = c.finish(ctx, a)
		}
		if err != nil {
			return fmt.Errorf("unassign primary IP %d: %w", has, err)
		}
	}
	if want == nil {
		return nil
	}
	a, _, err := c.PrimaryIP.Assign(ctx, hcloud.PrimaryIPAssignOpts{
		ID: want.ID, AssigneeID: server, AssigneeType: "server",
	})
	if err == nil {
		err = c.finish(ctx, a)
	}
	if err != nil {
		return fmt.Errorf("assign primary IP %d to server %d: %w", want.ID, server, err)
	}
	return nil
}
