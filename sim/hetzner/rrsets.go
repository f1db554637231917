package hetzner

import (
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/hetznercloud/hcloud-go/v2/hcloud/schema"
)

var rrsetTypes = []string{"A", "AAAA", "CAA", "CNAME", "DS", "HINFO", "HTTPS", "MX", "NS", "PTR", "RP", "SOA", "SRV", "SVCB", "TLSA", "TXT"}

var rrsetNameRE = regexp.MustCompile(`^(@|(\*\.|\*$)?([a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.|$))*)$`)

type rrset struct {
	name, kind string
	ttl        *int // nil: the zone's
	labels     map[string]string
	records    []schema.ZoneRRSetRecord
	protected  bool
}

type rrsetCreate struct {
	Name    string                   `json:"name"`
	Type    string                   `json:"type"`
	TTL     *int                     `json:"ttl"`
	Labels  map[string]string        `json:"labels"`
	Records []schema.ZoneRRSetRecord `json:"records"`
}

type rrsetRecords struct {
	Records []schema.ZoneRRSetRecord `json:"records"`
	TTL     *int                     `json:"ttl"`
}

type rrsetProtection struct {
	Change *bool `json:"change"`
}

type rrsetBody struct {
	RRSet  schema.ZoneRRSet `json:"rrset"`
	Action *schema.Action   `json:"action,omitempty"`
}

func (s *rrset) view(z *zone) schema.ZoneRRSet {
	return schema.ZoneRRSet{
		ID: s.name + "/" + s.kind, Name: s.name, Type: s.kind, TTL: s.ttl, Labels: s.labels,
		Protection: schema.ZoneRRSetProtection{Change: s.protected}, Records: slices.Clone(s.records), Zone: z.id,
	}
}

// add puts a record set into a zone.
func (z *zone) add(in rrsetCreate) (*rrset, error) {
	switch {
	case in.Name == "" || !rrsetNameRE.MatchString(in.Name):
		return nil, invalid("name", "%q is not a lower-case name relative to the zone, or @", in.Name)
	case !slices.Contains(rrsetTypes, in.Type):
		return nil, invalid("type", "%q is unknown", in.Type)
	case in.TTL != nil && (*in.TTL < minTTL || *in.TTL > maxTTL):
		return nil, invalid("ttl", "must be %d to %d", minTTL, maxTTL)
	case len(in.Records) == 0:
		return nil, invalid("records", "must have at least one record")
	}
	for _, o := range z.rrsets {
		if o.name == in.Name && o.kind == in.Type {
			return nil, fail(http.StatusConflict, "uniqueness_error", "RRSet with name %q and type %q already exists", in.Name, in.Type)
		}
		if o.name == in.Name && (o.kind == "CNAME" || in.Type == "CNAME") {
			return nil, fail(http.StatusUnprocessableEntity, "invalid_input", "a CNAME cannot share the name %q with other records", in.Name)
		}
	}
	if err := judgeRecords(in.Type, in.Records); err != nil {
		return nil, err
	}
	var m meta
	if err := apply[*zone](&m, nil, "rrset", edit{Labels: &in.Labels}); err != nil {
		return nil, err
	}
	s := &rrset{name: in.Name, kind: in.Type, ttl: in.TTL, labels: m.labels, records: slices.Clone(in.Records)}
	z.rrsets = append(z.rrsets, s)
	return s, nil
}

func judgeRecords(kind string, records []schema.ZoneRRSetRecord) error {
	seen := map[string]bool{}
	for _, r := range records {
		a, err := netip.ParseAddr(r.Value)
		switch {
		case seen[r.Value]:
			return invalid("records", "record %q is there twice", r.Value)
		case kind == "A" && (err != nil || !a.Is4()):
			return invalid("records", "%q is not an IPv4 address", r.Value)
		case kind == "AAAA" && (err != nil || !a.Is6()):
			return invalid("records", "%q is not an IPv6 address", r.Value)
		case kind == "TXT" && (len(r.Value) < 2 || !strings.HasPrefix(r.Value, `"`) || !strings.HasSuffix(r.Value, `"`)):
			return invalid("records", "a TXT record must be in double quotes")
		}
		seen[r.Value] = true
	}
	return nil
}

// onRRSet runs change on the record set that a request names. c.mu is held in it.
func (c *Cloud) onRRSet(r *http.Request, changes bool, change func(*zone, *rrset) (reply, error)) (reply, error) {
	return c.onZone(r, func(z *zone) (reply, error) {
		name, kind := r.PathValue("name"), r.PathValue("type")
		i := slices.IndexFunc(z.rrsets, func(s *rrset) bool { return s.name == name && s.kind == kind })
		if i < 0 {
			return reply{}, notFound("rrset", name+"/"+kind)
		}
		if changes && z.rrsets[i].protected {
			return reply{}, fail(http.StatusLocked, "protected", "rrset is protected against changes")
		}
		return change(z, z.rrsets[i])
	})
}

func (c *Cloud) listRRSets(r *http.Request) (reply, error) {
	q := r.URL.Query()
	match, err := parseSelector(q.Get("label_selector"))
	if err != nil {
		return reply{}, err
	}
	return c.onZone(r, func(z *zone) (reply, error) {
		var all []schema.ZoneRRSet
		for _, s := range z.rrsets {
			if (q.Get("name") == "" || q.Get("name") == s.name) && (len(q["type"]) == 0 || slices.Contains(q["type"], s.kind)) && match(s.labels) {
				all = append(all, s.view(z))
			}
		}
		return listReply(r, "rrsets", all)
	})
}

func (c *Cloud) createRRSet(r *http.Request) (reply, error) {
	var in rrsetCreate
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	return c.onZone(r, func(z *zone) (reply, error) {
		s, err := z.add(in)
		if err != nil {
			return reply{}, err
		}
		a := c.done("create_rrset", ref("zone", z.id))
		return created(rrsetBody{s.view(z), &a})
	})
}

func (c *Cloud) getRRSet(r *http.Request) (reply, error) {
	return c.onRRSet(r, false, func(z *zone, s *rrset) (reply, error) { return ok(rrsetBody{RRSet: s.view(z)}) })
}

func (c *Cloud) updateRRSet(r *http.Request) (reply, error) {
	var in zoneUpdate
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	return c.onRRSet(r, false, func(z *zone, s *rrset) (reply, error) {
		m := meta{labels: s.labels}
		if err := apply[*zone](&m, nil, "rrset", edit{Labels: in.Labels}); err != nil {
			return reply{}, err
		}
		s.labels = m.labels
		return ok(rrsetBody{RRSet: s.view(z)})
	})
}

func (c *Cloud) deleteRRSet(r *http.Request) (reply, error) {
	return c.onRRSet(r, true, func(z *zone, s *rrset) (reply, error) {
		z.rrsets = slices.DeleteFunc(z.rrsets, func(o *rrset) bool { return o == s })
		return created(actionBody{c.done("delete_rrset", ref("zone", z.id))})
	})
}

// changeRecords is set_records, add_records or remove_records. A set that
// loses its last record is gone, as on the real API.
func (c *Cloud) changeRecords(command string) handler {
	return func(r *http.Request) (reply, error) {
		var in rrsetRecords
		if err := decode(r, &in); err != nil {
			return reply{}, err
		}
		return c.onRRSet(r, true, func(z *zone, s *rrset) (reply, error) {
			asked := func(rec schema.ZoneRRSetRecord) bool {
				return slices.ContainsFunc(in.Records, func(o schema.ZoneRRSetRecord) bool { return o.Value == rec.Value })
			}
			next := slices.Clone(in.Records)
			switch command {
			case "add_records":
				next = append(slices.Clone(s.records), in.Records...)
			case "remove_records":
				next = slices.DeleteFunc(slices.Clone(s.records), asked)
			}
			if err := judgeRecords(s.kind, next); err != nil {
				return reply{}, err
			}
			s.records = next
			if in.TTL != nil {
				s.ttl = in.TTL
			}
			if len(next) == 0 {
				z.rrsets = slices.DeleteFunc(z.rrsets, func(o *rrset) bool { return o == s })
			}
			return acted(c.done(command, ref("zone", z.id)))
		})
	}
}

func (c *Cloud) changeRRSetTTL(r *http.Request) (reply, error) {
	var in changeTTL
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	return c.onRRSet(r, true, func(z *zone, s *rrset) (reply, error) {
		if in.TTL != nil && (*in.TTL < minTTL || *in.TTL > maxTTL) {
			return reply{}, invalid("ttl", "must be %d to %d", minTTL, maxTTL)
		}
		s.ttl = in.TTL
		return acted(c.done("change_ttl", ref("zone", z.id)))
	})
}

func (c *Cloud) protectRRSet(r *http.Request) (reply, error) {
	var in rrsetProtection
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	return c.onRRSet(r, false, func(z *zone, s *rrset) (reply, error) {
		if in.Change != nil {
			s.protected = *in.Change
		}
		return acted(c.done("change_protection", ref("zone", z.id)))
	})
}
