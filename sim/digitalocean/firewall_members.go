package digitalocean

import (
	"net/http"
	"reflect"
	"slices"

	"github.com/digitalocean/godo"
)

type firewallDroplets struct {
	DropletIDs []int `json:"droplet_ids"`
}

type firewallTags struct {
	Tags []string `json:"tags"`
}

type firewallRules struct {
	InboundRules  []inboundRule  `json:"inbound_rules"`
	OutboundRules []outboundRule `json:"outbound_rules"`
}

// members edits one list of a firewall: adds the entries asked for, or takes
// them off, within the limits.
func members[T comparable](list *[]T, asked []T, add bool) {
	next := slices.DeleteFunc(slices.Clone(*list), func(v T) bool { return slices.Contains(asked, v) })
	if add {
		next = append(next, asked...)
	}
	*list = next
}

func (c *Cloud) changeFirewallDroplets(add bool) handler {
	return func(r *http.Request) (reply, error) {
		var in firewallDroplets
		if err := decode(r, &in); err != nil {
			return reply{}, err
		}
		return c.changeMembers(r, func(f *godo.Firewall) error {
			for _, id := range in.DropletIDs {
				if c.droplet(id) == nil {
					return unprocessable("droplet %d does not exist", id)
				}
			}
			members(&f.DropletIDs, in.DropletIDs, add)
			return nil
		})
	}
}

func (c *Cloud) changeFirewallTags(add bool) handler {
	return func(r *http.Request) (reply, error) {
		var in firewallTags
		if err := decode(r, &in); err != nil {
			return reply{}, err
		}
		return c.changeMembers(r, func(f *godo.Firewall) error {
			for _, t := range in.Tags {
				if !slices.Contains(c.tags, t) {
					return unprocessable("tag %q does not exist", t)
				}
			}
			members(&f.Tags, in.Tags, add)
			return nil
		})
	}
}

func (c *Cloud) changeFirewallRules(add bool) handler {
	return func(r *http.Request) (reply, error) {
		var in firewallRules
		if err := decode(r, &in); err != nil {
			return reply{}, err
		}
		return c.changeMembers(r, func(f *godo.Firewall) error {
			inbound, outbound, err := c.rules(in.InboundRules, in.OutboundRules)
			if err != nil {
				return err
			}
			f.InboundRules = withRules(f.InboundRules, inbound, add)
			f.OutboundRules = withRules(f.OutboundRules, outbound, add)
			return nil
		})
	}
}

func withRules[T any](have, asked []T, add bool) []T {
	next := slices.DeleteFunc(slices.Clone(have), func(v T) bool {
		return slices.ContainsFunc(asked, func(o T) bool { return reflect.DeepEqual(v, o) })
	})
	if add {
		next = append(next, asked...)
	}
	return next
}

func (c *Cloud) changeMembers(r *http.Request, change func(*godo.Firewall) error) (reply, error) {
	err := c.changeFirewall(r, func(f *firewall) error {
		next := f.Firewall
		if err := change(&next); err != nil {
			return err
		}
		if err := withinLimits(next); err != nil {
			return err
		}
		f.Firewall = next
		return nil
	})
	if err != nil {
		return reply{}, err
	}
	return gone()
}
