package digitalocean

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/digitalocean/godo"
)

func (c *cloud) domain() *provider.Resource {
	read := func(ctx context.Context, id string, _ provider.Values) (provider.Output, error) {
		d, _, err := c.Domains.Get(ctx, id)
		if err != nil {
			return nil, found(err)
		}
		return provider.Output{"name": d.Name, "domainUrn": d.URN(), "ttl": d.TTL}, nil
	}
	return &provider.Resource{
		Inputs: provider.Schema{
			"name":      {Type: provider.String, Required: true, ForceNew: true},
			"ipAddress": {Type: provider.String, ForceNew: true},
		},
		Outputs: map[string]provider.Type{"domainUrn": provider.String, "ttl": provider.Int},
		Create: func(ctx context.Context, in provider.Values) (string, provider.Output, error) {
			d, _, err := c.Domains.Create(ctx, &godo.DomainCreateRequest{
				Name: in.String("name"), IPAddress: in.String("ipAddress"),
			})
			if err != nil {
				return "", nil, fmt.Errorf("create domain: %w", err)
			}
			out, err := read(ctx, d.Name, in)
			return d.Name, out, err
		},
		Read: read,
		Delete: func(ctx context.Context, id string, _ provider.Values) error {
			_, err := c.Domains.Delete(ctx, id)
			return gone(err)
		},
	}
}

func (c *cloud) dnsRecord() *provider.Resource {
	return &provider.Resource{
		Inputs: provider.Schema{
			"type": {
				Type: provider.String, Required: true, ForceNew: true,
				OneOf: []string{"A", "AAAA", "CAA", "CNAME", "MX", "NS", "TXT", "SRV", "SOA"},
			},
			"domain":   {Type: provider.String, Required: true, ForceNew: true},
			"name":     {Type: provider.String, Required: true, AutoName: 255},
			"value":    {Type: provider.String, Required: true},
			"ttl":      {Type: provider.Int, Computed: true},
			"port":     {Type: provider.Int},
			"priority": {Type: provider.Int},
			"weight":   {Type: provider.Int},
			"flags":    {Type: provider.Int},
			"tag":      {Type: provider.String, OneOf: []string{"issue", "issuewild", "iodef"}},
		},
		Outputs: map[string]provider.Type{"fqdn": provider.String},
		Create: func(ctx context.Context, in provider.Values) (string, provider.Output, error) {
			req := recordRequest(in)
			req.Type = in.String("type")
			r, _, err := c.Domains.CreateRecord(ctx, in.String("domain"), req)
			if err != nil {
				return "", nil, fmt.Errorf("create record: %w", err)
			}
			id := strconv.Itoa(r.ID)
			out, err := c.readRecord(ctx, id, in)
			return id, out, err
		},
		Read: c.readRecord,
		Update: func(ctx context.Context, id string, _, in provider.Values) (provider.Output, error) {
			n, err := number(id)
			if err != nil {
				return nil, err
			}
			if _, _, err := c.Domains.EditRecord(ctx, in.String("domain"), n, recordRequest(in)); err != nil {
				return nil, fmt.Errorf("update record: %w", err)
			}
			return c.readRecord(ctx, id, in)
		},
		Delete: func(ctx context.Context, id string, state provider.Values) error {
			n, err := number(id)
			if err != nil {
				return err
			}
			_, err = c.Domains.DeleteRecord(ctx, state.String("domain"), n)
			return gone(err)
		},
	}
}

func recordRequest(in provider.Values) *godo.DomainRecordEditRequest {
	return &godo.DomainRecordEditRequest{
		Name: in.String("name"), Data: in.String("value"), TTL: in.Int("ttl"), Port: in.Int("port"),
		Priority: in.Int("priority"), Weight: in.Int("weight"), Flags: in.Int("flags"), Tag: in.String("tag"),
	}
}

func (c *cloud) readRecord(ctx context.Context, id string, state provider.Values) (provider.Output, error) {
	n, err := number(id)
	if err != nil {
		return nil, err
	}
	domain := state.String("domain")
	r, _, err := c.Domains.Record(ctx, domain, n)
	if err != nil {
		return nil, found(err)
	}
	value := r.Data
	// The API drops the final dot of names.
	if slices.Contains([]string{"CNAME", "MX", "NS", "SRV", "CAA"}, r.Type) && value != "@" && r.Tag != "iodef" {
		value += "."
	}
	return provider.Output{
		"name": r.Name, "type": r.Type, "value": value, "ttl": r.TTL, "port": r.Port, "priority": r.Priority,
		"weight": r.Weight, "flags": r.Flags, "tag": r.Tag, "fqdn": fqdn(r.Name, domain),
	}, nil
}

func fqdn(name, domain string) string {
	switch {
	case name == "@":
		return domain
	case strings.HasSuffix(strings.ToLower(name), domain+"."):
		return strings.TrimSuffix(strings.ToLower(name), ".")
	default:
		return name + "." + domain
	}
}
