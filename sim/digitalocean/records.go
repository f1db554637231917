package digitalocean

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/construct-server/infra/sim/api"
	"github.com/digitalocean/godo"
)

type recordEdit struct {
	Type     string `json:"type"`
	Name     string `json:"name"`
	Data     string `json:"data"`
	Priority *int   `json:"priority"`
	Port     *int   `json:"port"`
	TTL      *int   `json:"ttl"`
	Weight   *int   `json:"weight"`
	Flags    *int   `json:"flags"`
	Tag      string `json:"tag"`
}

type recordBody struct {
	Record godo.DomainRecord `json:"domain_record"`
}

type recordsBody struct {
	Records []godo.DomainRecord `json:"domain_records"`
	listMeta
}

func (c *Cloud) listRecords(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.domain(r.PathValue("domain"))
	if d == nil {
		return reply{}, notFound()
	}
	q := r.URL.Query()
	var all []godo.DomainRecord
	for _, rec := range d.records {
		full := d.name
		if rec.Name != "@" {
			full = rec.Name + "." + d.name
		}
		if (q.Get("type") == "" || rec.Type == q.Get("type")) && (q.Get("name") == "" || full == q.Get("name")) {
			all = append(all, *rec)
		}
	}
	page, meta := paginate(r, all)
	return ok(recordsBody{page, meta})
}

// record finds the domain and the record that a request names. c.mu is held.
func (c *Cloud) record(r *http.Request) (*domain, *godo.DomainRecord, error) {
	d := c.domain(r.PathValue("domain"))
	id, err := pathID(r, "id")
	if d == nil || err != nil {
		return nil, nil, notFound()
	}
	i := slices.IndexFunc(d.records, func(rec *godo.DomainRecord) bool { return rec.ID == id })
	if i < 0 {
		return nil, nil, notFound()
	}
	return d, d.records[i], nil
}

func (c *Cloud) getRecord(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, rec, err := c.record(r)
	if err != nil {
		return reply{}, err
	}
	return ok(recordBody{*rec})
}

func (c *Cloud) createRecord(r *http.Request) (reply, error) {
	var in recordEdit
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.domain(r.PathValue("domain"))
	if d == nil {
		return reply{}, notFound()
	}
	rec := &godo.DomainRecord{ID: c.id(), TTL: defaultTTL}
	if err := d.set(rec, in); err != nil {
		return reply{}, err
	}
	d.records = append(d.records, rec)
	return created(recordBody{*rec})
}

func (c *Cloud) updateRecord(r *http.Request) (reply, error) {
	var in recordEdit
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	d, rec, err := c.record(r)
	if err != nil {
		return reply{}, err
	}
	next := *rec
	if err := d.set(&next, in); err != nil {
		return reply{}, err
	}
	*rec = next
	return ok(recordBody{*rec})
}

func (c *Cloud) deleteRecord(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, rec, err := c.record(r)
	if err != nil {
		return reply{}, err
	}
	d.records = slices.DeleteFunc(d.records, func(o *godo.DomainRecord) bool { return o == rec })
	return gone()
}

// set applies an edit to a record of d, and judges the result.
func (d *domain) set(rec *godo.DomainRecord, in recordEdit) error {
	text := func(to *string, v string) {
		if v != "" {
			*to = v
		}
	}
	number := func(to *int, v *int) {
		if v != nil {
			*to = *v
		}
	}
	text(&rec.Type, in.Type)
	text(&rec.Name, in.Name)
	text(&rec.Data, in.Data)
	text(&rec.Tag, in.Tag)
	number(&rec.Priority, in.Priority)
	number(&rec.Port, in.Port)
	number(&rec.Weight, in.Weight)
	number(&rec.Flags, in.Flags)
	// Names are written with their final dot and shown without it.
	if slices.Contains([]string{"CAA", "CNAME", "MX", "NS", "SRV"}, rec.Type) {
		rec.Data = strings.TrimSuffix(rec.Data, ".")
	}
	if in.TTL != nil && *in.TTL != 0 {
		rec.TTL = *in.TTL
	}
	return d.judge(rec)
}

func (d *domain) judge(rec *godo.DomainRecord) error {
	addr, addrErr := netip.ParseAddr(rec.Data)
	switch {
	case !slices.Contains([]string{"A", "AAAA", "CAA", "CNAME", "MX", "NS", "SRV", "TXT"}, rec.Type):
		return unprocessable("Type is not included in the list")
	case rec.Name == "" || strings.HasSuffix(rec.Name, "."):
		return unprocessable("Name is invalid")
	case rec.Data == "":
		return unprocessable("Data can't be blank")
	case rec.Type == "A" && (addrErr != nil || !addr.Is4()):
		return unprocessable("Data needs to be a valid IPv4 address")
	case rec.Type == "AAAA" && (addrErr != nil || !addr.Is6()):
		return unprocessable("Data needs to be a valid IPv6 address")
	case rec.TTL < minTTL:
		return unprocessable("TTL must be greater than or equal to %d", minTTL)
	}
	for _, o := range d.records {
		if o.ID == rec.ID || o.Name != rec.Name {
			continue
		}
		if rec.Type == "CNAME" || o.Type == "CNAME" {
			return unprocessable("CNAME records cannot share a name with other records")
		}
		if o.Type == rec.Type && o.Data == rec.Data && o.Priority == rec.Priority {
			return unprocessable("Record already exists")
		}
	}
	return nil
}

// Records implements api.Cloud.
func (c *Cloud) Records() []api.RecordSet {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []api.RecordSet
	for _, d := range c.domains {
		for _, rec := range d.records {
			i := slices.IndexFunc(out, func(s api.RecordSet) bool {
				return s.Zone == d.name && s.Name == rec.Name && s.Type == rec.Type
			})
			if i < 0 {
				out = append(out, api.RecordSet{Zone: d.name, Name: rec.Name, Type: rec.Type, TTL: rec.TTL})
				i = len(out) - 1
			}
			out[i].Values = append(out[i].Values, rec.Data)
		}
	}
	return out
}
