package digitalocean

import (
	"net/http"
	"regexp"
	"slices"

	"github.com/digitalocean/godo"
)

// defaultTTL is the TTL of a record that names none, in seconds; minTTL is the
// least that DigitalOcean accepts.
const (
	defaultTTL = 1800
	minTTL     = 30
)

var domainRE = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)

type domain struct {
	name    string
	records []*godo.DomainRecord
}

type domainCreate struct {
	Name      string `json:"name"`
	IPAddress string `json:"ip_address"`
}

type domainBody struct {
	Domain godo.Domain `json:"domain"`
}

type domainsBody struct {
	Domains []godo.Domain `json:"domains"`
	listMeta
}

func (d *domain) view() godo.Domain { return godo.Domain{Name: d.name, TTL: defaultTTL} }

// domain finds a domain. c.mu is held.
func (c *Cloud) domain(name string) *domain {
	i := slices.IndexFunc(c.domains, func(d *domain) bool { return d.name == name })
	if i < 0 {
		return nil
	}
	return c.domains[i]
}

func (c *Cloud) createDomain(r *http.Request) (reply, error) {
	var in domainCreate
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	if !domainRE.MatchString(in.Name) {
		return reply{}, unprocessable("Name is invalid")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.domain(in.Name) != nil {
		return reply{}, unprocessable("Name already exists")
	}
	d := &domain{name: in.Name}
	for _, ns := range []string{"ns1.digitalocean.com", "ns2.digitalocean.com", "ns3.digitalocean.com"} {
		d.records = append(d.records, &godo.DomainRecord{ID: c.id(), Type: "NS", Name: "@", Data: ns, TTL: defaultTTL})
	}
	if in.IPAddress != "" {
		d.records = append(d.records, &godo.DomainRecord{ID: c.id(), Type: "A", Name: "@", Data: in.IPAddress, TTL: defaultTTL})
	}
	c.domains = append(c.domains, d)
	return created(domainBody{d.view()})
}

func (c *Cloud) listDomains(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []godo.Domain
	for _, d := range c.domains {
		all = append(all, d.view())
	}
	page, meta := paginate(r, all)
	return ok(domainsBody{page, meta})
}

func (c *Cloud) getDomain(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.domain(r.PathValue("domain"))
	if d == nil {
		return reply{}, notFound()
	}
	return ok(domainBody{d.view()})
}

func (c *Cloud) deleteDomain(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.domain(r.PathValue("domain"))
	if d == nil {
		return reply{}, notFound()
	}
	c.domains = slices.DeleteFunc(c.domains, func(o *domain) bool { return o == d })
	return gone()
}
