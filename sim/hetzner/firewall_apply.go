package hetzner

import (
	"net/http"
	"slices"

	"github.com/hetznercloud/hcloud-go/v2/hcloud/schema"
)

type firewallTarget struct {
	Type          string                                `json:"type"`
	Server        *schema.FirewallResourceServer        `json:"server"`
	LabelSelector *schema.FirewallResourceLabelSelector `json:"label_selector"`
}

type firewallSetRules struct {
	Rules []rule `json:"rules"`
}

type firewallApply struct {
	ApplyTo []firewallTarget `json:"apply_to"`
}

type firewallRemove struct {
	RemoveFrom []firewallTarget `json:"remove_from"`
}

// applyFirewall puts a firewall on servers or selectors. With again, one that
// is there already is an error, as on the real API. c.mu is held.
func (c *Cloud) applyFirewall(f *firewall, to []firewallTarget, again bool) error {
	for _, t := range to {
		switch {
		case t.Type == "server" && t.Server != nil:
			s, found := byID(c.servers, t.Server.ID)
			if !found || s.deleting {
				return fail(http.StatusUnprocessableEntity, "firewall_resource_not_found", "server with ID '%d' not found", t.Server.ID)
			}
			if slices.Contains(f.servers, s.id) {
				if again {
					return fail(http.StatusConflict, "firewall_already_applied", "firewall with ID '%d' is already applied on server with ID '%d'", f.id, s.id)
				}
				continue
			}
			if len(c.firewallsOf(s)) >= maxServerFirewalls {
				return fail(http.StatusForbidden, "resource_limit_exceeded", "a server takes at most %d firewalls", maxServerFirewalls)
			}
			f.servers = append(slices.Clone(f.servers), s.id)
		case t.Type == "label_selector" && t.LabelSelector != nil:
			if _, err := parseSelector(t.LabelSelector.Selector); err != nil {
				return err
			}
			if !slices.Contains(f.selectors, t.LabelSelector.Selector) {
				f.selectors = append(slices.Clone(f.selectors), t.LabelSelector.Selector)
			}
		default:
			return invalid("apply_to", "type must be server or label_selector")
		}
	}
	return nil
}

// firewallAction runs change on the firewall that a request names, pushes, and
// answers with actions.
func (c *Cloud) firewallAction(r *http.Request, command string, change func(*firewall) error) (reply, error) {
	c.mu.Lock()
	f, err := inPath(r, c.firewalls, "firewall")
	if err == nil {
		err = change(f)
	}
	if err != nil {
		c.mu.Unlock()
		return reply{}, err
	}
	c.mu.Unlock()
	c.syncFirewalls()
	c.mu.Lock()
	defer c.mu.Unlock()
	return created(actionsBody{Actions: []schema.Action{c.done(command, ref("firewall", f.id))}})
}

func (c *Cloud) setRules(r *http.Request) (reply, error) {
	var in firewallSetRules
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	return c.firewallAction(r, "set_firewall_rules", func(f *firewall) error {
		rules, err := judge(in.Rules)
		if err == nil {
			f.rules = rules
		}
		return err
	})
}

func (c *Cloud) applyToResources(r *http.Request) (reply, error) {
	var in firewallApply
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	return c.firewallAction(r, "apply_firewall", func(f *firewall) error { return c.applyFirewall(f, in.ApplyTo, true) })
}

func (c *Cloud) removeFromResources(r *http.Request) (reply, error) {
	var in firewallRemove
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	return c.firewallAction(r, "remove_firewall", func(f *firewall) error {
		for _, t := range in.RemoveFrom {
			switch {
			case t.Type == "server" && t.Server != nil && slices.Contains(f.servers, t.Server.ID):
				f.servers = slices.DeleteFunc(slices.Clone(f.servers), func(id int64) bool { return id == t.Server.ID })
			case t.Type == "label_selector" && t.LabelSelector != nil && slices.Contains(f.selectors, t.LabelSelector.Selector):
				f.selectors = slices.DeleteFunc(slices.Clone(f.selectors), func(s string) bool { return s == t.LabelSelector.Selector })
			default:
				return fail(http.StatusConflict, "firewall_already_removed", "firewall with ID '%d' is not applied there", f.id)
			}
		}
		return nil
	})
}
