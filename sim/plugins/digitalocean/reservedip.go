package digitalocean

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/digitalocean/godo"
)

func (c *cloud) reservedIP() *provider.Resource {
	return &provider.Resource{
		Inputs: provider.Schema{
			"region":    {Type: provider.String, Required: true, ForceNew: true, Same: foldCase},
			"ipAddress": {Type: provider.String, Computed: true},
			"dropletId": {Type: provider.Int},
		},
		Outputs: map[string]provider.Type{"reservedIpUrn": provider.String},
		Create: func(ctx context.Context, in provider.Values) (string, provider.Output, error) {
			ip, _, err := c.ReservedIPs.Create(ctx, &godo.ReservedIPCreateRequest{Region: in.String("region")})
			if err != nil {
				return "", nil, fmt.Errorf("create reserved IP: %w", err)
			}
			if in.Has("dropletId") {
				if err := c.assign(ctx, ip.IP, in.Int("dropletId")); err != nil {
					return ip.IP, nil, err
				}
			}
			out, err := c.readReservedIP(ctx, ip.IP, in)
			return ip.IP, out, err
		},
		Read: c.readReservedIP,
		Update: func(ctx context.Context, id string, old, in provider.Values) (provider.Output, error) {
			switch {
			case old.Int("dropletId") == in.Int("dropletId"):
			case in.Has("dropletId"):
				if err := c.assign(ctx, id, in.Int("dropletId")); err != nil {
					return nil, err
				}
			default:
				if err := c.unassign(ctx, id); err != nil {
					return nil, err
				}
			}
			return c.readReservedIP(ctx, id, in)
		},
		Delete: func(ctx context.Context, id string, state provider.Values) error {
			if state.Has("dropletId") {
				if err := c.unassign(ctx, id); err != nil && status(err) != http.StatusUnprocessableEntity {
					return err
				}
			}
			_, err := c.ReservedIPs.Delete(ctx, id)
			return gone(err)
		},
	}
}

// readReservedIP reports the droplet only where the program set one: an
// address assigned by a ReservedIpAssignment is no drift.
func (c *cloud) readReservedIP(ctx context.Context, id string, state provider.Values) (provider.Output, error) {
	ip, _, err := c.ReservedIPs.Get(ctx, id)
	if err != nil {
		return nil, found(err)
	}
	out := provider.Output{"ipAddress": ip.IP, "reservedIpUrn": ip.URN()}
	if ip.Region != nil {
		out["region"] = ip.Region.Slug
	}
	if state.Has("dropletId") && ip.Droplet != nil {
		out["dropletId"] = ip.Droplet.ID
	}
	return out, nil
}

// assign gives an address to a droplet, once the droplet is not busy.
func (c *cloud) assign(ctx context.Context, ip string, droplet int) error {
	if err := c.waitIdle(ctx, droplet); err != nil {
		return err
	}
	a, _, err := c.ReservedIPActions.Assign(ctx, ip, droplet)
	if err != nil {
		return fmt.Errorf("assign reserved IP %s to droplet %d: %w", ip, droplet, err)
	}
	return c.finishIP(ctx, ip, a)
}

func (c *cloud) unassign(ctx context.Context, ip string) error {
	a, _, err := c.ReservedIPActions.Unassign(ctx, ip)
	if err != nil {
		return fmt.Errorf("unassign reserved IP %s: %w", ip, err)
	}
	return c.finishIP(ctx, ip, a)
}

// finishIP waits for an action by the address's own route.
func (c *cloud) finishIP(ctx context.Context, ip string, a *godo.Action) error {
	return provider.Wait(ctx, c.poll, actionLimit, "reserved IP "+ip, func() (bool, error) {
		now, _, err := c.ReservedIPActions.Get(ctx, ip, a.ID)
		if err != nil {
			return false, err
		}
		if now.Status == "completed" {
			return true, nil
		}
		return over(now)
	})
}

// waitIdle waits until no action of the droplet is under way.
func (c *cloud) waitIdle(ctx context.Context, droplet int) error {
	what := fmt.Sprintf("pending events of droplet %d", droplet)
	return provider.Wait(ctx, c.poll, idleLimit, what, func() (bool, error) {
		actions, _, err := c.Droplets.Actions(ctx, droplet, &godo.ListOptions{PerPage: 50})
		if err != nil {
			return false, err
		}
		return !slices.ContainsFunc(actions, func(a godo.Action) bool {
			return a.Status != godo.ActionCompleted && a.Status != "errored"
		}), nil
	})
}
