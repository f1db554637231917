package hcloud

import (
	"context"
	"fmt"
	"slices"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

// reapply brings what a firewall applies to from had to want.
func (c *cloud) reapply(ctx context.Context, f *hcloud.Firewall, had, want []hcloud.FirewallResource) error {
	if leave := without(had, want); len(leave) > 0 {
		actions, _, err := c.Firewall.RemoveResources(ctx, f, leave)
		if err == nil {
			err = c.finish(ctx, actions...)
		}
		if err != nil && !hcloud.IsError(err, hcloud.ErrorCodeFirewallResourceNotFound) {
			return fmt.Errorf("remove firewall %d from resources: %w", f.ID, err)
		}
	}
	if enter := without(want, had); len(enter) > 0 {
		actions, _, err := c.Firewall.ApplyResources(ctx, f, enter)
		if err == nil {
			err = c.finish(ctx, actions...)
		}
		if err != nil {
			return fmt.Errorf("apply firewall %d to resources: %w", f.ID, err)
		}
	}
	return nil
}

// without returns the elements of list that others lacks.
func without(list, others []hcloud.FirewallResource) []hcloud.FirewallResource {
	return slices.DeleteFunc(slices.Clone(list), func(r hcloud.FirewallResource) bool {
		return slices.ContainsFunc(others, func(o hcloud.FirewallResource) bool { return key(r) == key(o) })
	})
}

func key(r hcloud.FirewallResource) string {
	if r.Type == hcloud.FirewallResourceTypeLabelSelector {
		return "label " + r.LabelSelector.Selector
	}
	return "server " + text(r.Server.ID)
}

// deleteFirewall removes the firewall from everything first; removal may take
// a while to show.
func (c *cloud) deleteFirewall(ctx context.Context, id string, _ provider.Values) error {
	n, err := number(id)
	if err != nil {
		return err
	}
	f, _, err := c.Firewall.GetByID(ctx, n)
	if err != nil || f == nil {
		return gone(err)
	}
	if err := c.reapply(ctx, f, f.AppliedTo, nil); err != nil {
		return gone(err)
	}
	inUse := isCode(hcloud.ErrorCodeConflict, hcloud.ErrorCodeResourceInUse)
	return provider.Retry(ctx, c.pause, 2*retryLimit, inUse, func() error {
		_, err := c.Firewall.Delete(ctx, f)
		return gone(err)
	})
}

// refirewall brings a server's own firewalls in line with the program's.
func (c *cloud) refirewall(ctx context.Context, s *hcloud.Server, want []int) error {
	for _, f := range s.PublicNet.Firewalls {
		if slices.Contains(want, int(f.Firewall.ID)) {
			continue
		}
		if err := c.reapply(ctx, &f.Firewall, []hcloud.FirewallResource{serverMember(s.ID)}, nil); err != nil {
			return err
		}
	}
	for _, id := range want {
		has := slices.ContainsFunc(s.PublicNet.Firewalls, func(f *hcloud.ServerFirewallStatus) bool {
			return f.Firewall.ID == int64(id)
		})
		if has {
			continue
		}
		f := &hcloud.Firewall{ID: int64(id)}
		if err := c.reapply(ctx, f, nil, []hcloud.FirewallResource{serverMember(s.ID)}); err != nil {
			return err
		}
	}
	return nil
}
