package hetzner

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"

	"github.com/construct-server/infra/sim/api"
	"github.com/hetznercloud/hcloud-go/v2/hcloud/schema"
)

// TTLs in seconds: of a zone that names none, and the limits.
const (
	defaultTTL = 3600
	minTTL     = 60
	maxTTL     = 2147483647
)

var zoneRE = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)

var nameservers = []string{"hydrogen.ns.hetzner.com.", "oxygen.ns.hetzner.com.", "helium.ns.hetzner.de."}

type zone struct {
	meta
	ttl    int
	rrsets []*rrset
}

type zoneCreate struct {
	Name   string            `json:"name"`
	Mode   string            `json:"mode"`
	TTL    *int              `json:"ttl"`
	Labels map[string]string `json:"labels"`
	RRSets []rrsetCreate     `json:"rrsets"`
}

type zoneUpdate struct {
	Labels *map[string]string `json:"labels"`
}

type changeTTL struct {
	TTL *int `json:"ttl"`
}

type zoneBody struct {
	Zone   schema.Zone    `json:"zone"`
	Action *schema.Action `json:"action,omitempty"`
}

func (z *zone) view() schema.Zone {
	out := schema.Zone{
		ID: z.id, Name: z.name, Created: z.created, TTL: z.ttl, Mode: "primary", Labels: z.labels,
		PrimaryNameservers: []schema.ZonePrimaryNameserver{}, Protection: schema.ZoneProtection{Delete: z.protected},
		AuthoritativeNameservers: schema.ZoneAuthoritativeNameservers{
			Assigned: nameservers, Delegated: []string{}, DelegationLastCheck: z.created, DelegationStatus: "unregistered",
		},
		Registrar: "other", Status: "ok",
	}
	for _, s := range z.rrsets {
		out.RecordCount += len(s.records)
	}
	return out
}

func (c *Cloud) createZone(r *http.Request) (reply, error) {
	var in zoneCreate
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	ttl := defaultTTL
	if in.TTL != nil {
		ttl = *in.TTL
	}
	switch {
	case !zoneRE.MatchString(in.Name):
		return reply{}, invalid("name", "%q is not a lower-case domain name without a final dot", in.Name)
	case in.Mode != "primary":
		return reply{}, invalid("mode", "%q is not modelled by the simulator (want primary)", in.Mode)
	case ttl < minTTL || ttl > maxTTL:
		return reply{}, invalid("ttl", "must be %d to %d", minTTL, maxTTL)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m, err := newMeta(c, c.zones, "zone", in.Name, in.Labels)
	if err != nil {
		return reply{}, err
	}
	z := &zone{meta: m, ttl: ttl}
	ns := &rrset{name: "@", kind: "NS", labels: map[string]string{}}
	for _, n := range nameservers {
		ns.records = append(ns.records, schema.ZoneRRSetRecord{Value: n})
	}
	soa := &rrset{name: "@", kind: "SOA", labels: map[string]string{}, records: []schema.ZoneRRSetRecord{
		{Value: nameservers[0] + " dns.hetzner.com. 2026010100 86400 10800 3600000 3600"},
	}}
	z.rrsets = []*rrset{soa, ns}
	for _, s := range in.RRSets {
		if _, err := z.add(s); err != nil {
			return reply{}, err
		}
	}
	c.zones = append(c.zones, z)
	a := c.done("create_zone", ref("zone", z.id))
	return created(zoneBody{z.view(), &a})
}

// zoneInPath finds the zone that a request names by number or name. c.mu is held.
func (c *Cloud) zoneInPath(r *http.Request) (*zone, error) {
	ref := r.PathValue("id")
	i := slices.IndexFunc(c.zones, func(z *zone) bool { return z.name == ref || strconv.FormatInt(z.id, 10) == ref })
	if i < 0 {
		return nil, notFound("zone", ref)
	}
	return c.zones[i], nil
}

// onZone runs change on the zone that a request names. c.mu is held in it.
func (c *Cloud) onZone(r *http.Request, change func(*zone) (reply, error)) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	z, err := c.zoneInPath(r)
	if err != nil {
		return reply{}, err
	}
	return change(z)
}

func (c *Cloud) getZone(r *http.Request) (reply, error) {
	return c.onZone(r, func(z *zone) (reply, error) { return ok(zoneBody{Zone: z.view()}) })
}

func (c *Cloud) updateZone(r *http.Request) (reply, error) {
	var in zoneUpdate
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	return c.onZone(r, func(z *zone) (reply, error) {
		if err := apply(&z.meta, c.zones, "zone", edit{Labels: in.Labels}); err != nil {
			return reply{}, err
		}
		return ok(zoneBody{Zone: z.view()})
	})
}

func (c *Cloud) deleteZone(r *http.Request) (reply, error) {
	return c.onZone(r, func(z *zone) (reply, error) {
		if z.protected {
			return reply{}, protected("zone")
		}
		c.zones = slices.DeleteFunc(c.zones, func(o *zone) bool { return o == z })
		return created(actionBody{c.done("delete_zone", ref("zone", z.id))})
	})
}

func (c *Cloud) changeZoneTTL(r *http.Request) (reply, error) {
	var in changeTTL
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	return c.onZone(r, func(z *zone) (reply, error) {
		if in.TTL == nil || *in.TTL < minTTL || *in.TTL > maxTTL {
			return reply{}, invalid("ttl", "must be %d to %d", minTTL, maxTTL)
		}
		z.ttl = *in.TTL
		return acted(c.done("change_ttl", ref("zone", z.id)))
	})
}

func (c *Cloud) protectZone(r *http.Request) (reply, error) {
	var in protection
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	return c.onZone(r, func(z *zone) (reply, error) {
		if in.Delete != nil {
			z.protected = *in.Delete
		}
		return acted(c.done("change_protection", ref("zone", z.id)))
	})
}

// Records implements api.Cloud.
func (c *Cloud) Records() []api.RecordSet {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []api.RecordSet
	for _, z := range c.zones {
		for _, s := range z.rrsets {
			set := api.RecordSet{Zone: z.name, Name: s.name, Type: s.kind, TTL: z.ttl}
			if s.ttl != nil {
				set.TTL = *s.ttl
			}
			for _, rec := range s.records {
				set.Values = append(set.Values, rec.Value)
			}
			out = append(out, set)
		}
	}
	return out
}
