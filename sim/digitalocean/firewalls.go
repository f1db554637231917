package digitalocean

import (
	"net/http"
	"slices"
	"time"

	"github.com/digitalocean/godo"
	"github.com/google/uuid"
)

// Limits of one firewall (DigitalOcean's limits page): rules in both
// directions together, droplets named by id, and tags.
const (
	maxRules            = 50
	maxFirewallDroplets = 10
	maxFirewallTags     = 5
)

type firewall struct {
	godo.Firewall
}

type peers struct {
	Addresses        []string `json:"addresses"`
	Tags             []string `json:"tags"`
	DropletIDs       []int    `json:"droplet_ids"`
	LoadBalancerUIDs []string `json:"load_balancer_uids"`
	KubernetesIDs    []string `json:"kubernetes_ids"`
}

type inboundRule struct {
	Protocol string `json:"protocol"`
	Ports    string `json:"ports"`
	Sources  *peers `json:"sources"`
}

type outboundRule struct {
	Protocol     string `json:"protocol"`
	Ports        string `json:"ports"`
	Destinations *peers `json:"destinations"`
}

type firewallEdit struct {
	Name          string         `json:"name"`
	InboundRules  []inboundRule  `json:"inbound_rules"`
	OutboundRules []outboundRule `json:"outbound_rules"`
	DropletIDs    []int          `json:"droplet_ids"`
	Tags          []string       `json:"tags"`
}

type firewallBody struct {
	Firewall godo.Firewall `json:"firewall"`
}

type firewallsBody struct {
	Firewalls []godo.Firewall `json:"firewalls"`
	listMeta
}

// firewall finds a firewall. c.mu is held.
func (c *Cloud) firewall(id string) *firewall {
	i := slices.IndexFunc(c.firewalls, func(f *firewall) bool { return f.ID == id })
	if i < 0 {
		return nil
	}
	return c.firewalls[i]
}

func (c *Cloud) createFirewall(r *http.Request) (reply, error) {
	var in firewallEdit
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	f := &firewall{godo.Firewall{ID: uuid.NewString(), Status: "succeeded", Created: stamp(time.Now()), PendingChanges: []godo.PendingChange{}}}
	if err := c.editFirewall(f, in); err != nil {
		c.mu.Unlock()
		return reply{}, err
	}
	c.firewalls = append(c.firewalls, f)
	out := firewallBody{f.Firewall}
	c.mu.Unlock()
	c.syncFirewalls()
	return reply{http.StatusAccepted, out}, nil
}

// editFirewall replaces a firewall's name, rules and members, or changes
// nothing. c.mu is held.
func (c *Cloud) editFirewall(f *firewall, in firewallEdit) error {
	next := f.Firewall
	next.Name, next.DropletIDs, next.Tags = in.Name, []int{}, []string{}
	if !nameRE.MatchString(in.Name) {
		return unprocessable("name is invalid: it must contain only alphanumeric characters, dashes, and periods")
	}
	if slices.ContainsFunc(c.firewalls, func(o *firewall) bool { return o != f && o.Name == in.Name }) {
		return conflict("duplicate name")
	}
	if len(in.InboundRules)+len(in.OutboundRules) == 0 {
		return unprocessable("you must specify at least one rule when creating a firewall")
	}
	for _, id := range in.DropletIDs {
		if c.droplet(id) == nil {
			return unprocessable("droplet %d does not exist", id)
		}
		if !slices.Contains(next.DropletIDs, id) {
			next.DropletIDs = append(next.DropletIDs, id)
		}
	}
	for _, t := range in.Tags {
		if !slices.Contains(c.tags, t) {
			return unprocessable("tag %q does not exist", t)
		}
		if !slices.Contains(next.Tags, t) {
			next.Tags = append(next.Tags, t)
		}
	}
	var err error
	if next.InboundRules, next.OutboundRules, err = c.rules(in.InboundRules, in.OutboundRules); err != nil {
		return err
	}
	if err := withinLimits(next); err != nil {
		return err
	}
	f.Firewall = next
	return nil
}

func withinLimits(f godo.Firewall) error {
	switch {
	case len(f.InboundRules)+len(f.OutboundRules) > maxRules:
		return unprocessable("a firewall may have at most %d rules", maxRules)
	case len(f.DropletIDs) > maxFirewallDroplets:
		return unprocessable("a firewall may have at most %d droplets", maxFirewallDroplets)
	case len(f.Tags) > maxFirewallTags:
		return unprocessable("a firewall may have at most %d tags", maxFirewallTags)
	}
	return nil
}

func (c *Cloud) listFirewalls(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []godo.Firewall
	for _, f := range c.firewalls {
		all = append(all, f.Firewall)
	}
	page, meta := paginate(r, all)
	return ok(firewallsBody{page, meta})
}

func (c *Cloud) listDropletFirewalls(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.dropletRef(r.PathValue("id"))
	if d == nil {
		return reply{}, notFound()
	}
	var all []godo.Firewall
	for _, f := range c.firewalls {
		if f.covers(d) {
			all = append(all, f.Firewall)
		}
	}
	page, meta := paginate(r, all)
	return ok(firewallsBody{page, meta})
}

func (c *Cloud) getFirewall(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.firewall(r.PathValue("id"))
	if f == nil {
		return reply{}, notFound()
	}
	return ok(firewallBody{f.Firewall})
}

func (c *Cloud) updateFirewall(r *http.Request) (reply, error) {
	var in firewallEdit
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	var out firewallBody
	err := c.changeFirewall(r, func(f *firewall) error {
		if err := c.editFirewall(f, in); err != nil {
			return err
		}
		out = firewallBody{f.Firewall}
		return nil
	})
	if err != nil {
		return reply{}, err
	}
	return ok(out)
}

// changeFirewall runs change on the firewall that a request names, then pushes.
func (c *Cloud) changeFirewall(r *http.Request, change func(*firewall) error) error {
	c.mu.Lock()
	f := c.firewall(r.PathValue("id"))
	if f == nil {
		c.mu.Unlock()
		return notFound()
	}
	err := change(f)
	c.mu.Unlock()
	if err == nil {
		c.syncFirewalls()
	}
	return err
}

func (c *Cloud) deleteFirewall(r *http.Request) (reply, error) {
	err := c.changeFirewall(r, func(f *firewall) error {
		c.firewalls = slices.DeleteFunc(c.firewalls, func(o *firewall) bool { return o == f })
		return nil
	})
	if err != nil {
		return reply{}, err
	}
	return gone()
}
