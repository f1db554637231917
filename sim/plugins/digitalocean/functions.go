package digitalocean

import (
	"context"
	"fmt"
	"strings"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/digitalocean/godo"
)

func (c *cloud) functions() map[string]*provider.Function {
	const prefix = "digitalocean:index/"
	named := provider.Schema{"name": {Type: provider.String, Required: true}}
	return map[string]*provider.Function{
		prefix + "getAccount:getAccount":   {Args: provider.Schema{}, Call: c.getAccount},
		prefix + "getDomain:getDomain":     {Args: named, Call: c.getDomain},
		prefix + "getDroplets:getDroplets": {Args: listArgs(), Call: c.getDroplets},
		prefix + "getRegion:getRegion": {
			Args: provider.Schema{"slug": {Type: provider.String, Required: true}}, Call: c.getRegion,
		},
		prefix + "getRegions:getRegions": {Args: listArgs(), Call: c.getRegions},
		prefix + "getSizes:getSizes":     {Args: listArgs(), Call: c.getSizes},
		prefix + "getSshKey:getSshKey":   {Args: named, Call: c.getSSHKey},
		prefix + "getVpc:getVpc": {
			Args: provider.Schema{"region": {Type: provider.String, Required: true}}, Call: c.getDefaultVPC,
		},
	}
}

// pages collects every page of a list.
func pages[T any](list func(*godo.ListOptions) ([]T, *godo.Response, error)) ([]T, error) {
	var all []T
	for opt := (&godo.ListOptions{Page: 1, PerPage: pageSize}); ; opt.Page++ {
		page, resp, err := list(opt)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if resp.Links == nil || resp.Links.IsLastPage() {
			return all, nil
		}
	}
}

func (c *cloud) getAccount(ctx context.Context, _ provider.Values) (provider.Output, error) {
	a, _, err := c.Account.Get(ctx)
	if err != nil {
		return nil, err
	}
	return provider.Output{
		"id": a.UUID, "uuid": a.UUID, "email": a.Email, "emailVerified": a.EmailVerified, "status": a.Status,
		"statusMessage": a.StatusMessage, "dropletLimit": a.DropletLimit, "floatingIpLimit": a.FloatingIPLimit,
	}, nil
}

func (c *cloud) getDomain(ctx context.Context, args provider.Values) (provider.Output, error) {
	d, _, err := c.Domains.Get(ctx, args.String("name"))
	if err != nil {
		return nil, fmt.Errorf("domain %q: %w", args.String("name"), err)
	}
	return provider.Output{
		"id": d.Name, "name": d.Name, "domainUrn": d.URN(), "ttl": d.TTL, "zoneFile": d.ZoneFile,
	}, nil
}

func (c *cloud) getSSHKey(ctx context.Context, args provider.Values) (provider.Output, error) {
	keys, err := pages(func(o *godo.ListOptions) ([]godo.Key, *godo.Response, error) { return c.Keys.List(ctx, o) })
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if k.Name == args.String("name") {
			return provider.Output{
				"id": k.ID, "name": k.Name, "fingerprint": k.Fingerprint, "publicKey": k.PublicKey,
			}, nil
		}
	}
	return nil, fmt.Errorf("SSH key %q: %w", args.String("name"), provider.ErrNotFound)
}

// getDefaultVPC is getVpc by region: the official provider's, in its words.
func (c *cloud) getDefaultVPC(ctx context.Context, args provider.Values) (provider.Output, error) {
	vpcs, err := pages(func(o *godo.ListOptions) ([]*godo.VPC, *godo.Response, error) { return c.VPCs.List(ctx, o) })
	if err != nil {
		return nil, err
	}
	for _, v := range vpcs {
		if v.Default && v.RegionSlug == args.String("region") {
			return provider.Output{
				"id": v.ID, "name": v.Name, "region": v.RegionSlug, "description": v.Description, "ipRange": v.IPRange,
				"urn": v.URN, "default": v.Default, "createdAt": v.CreatedAt.UTC().String(),
			}, nil
		}
	}
	return nil, fmt.Errorf("Error retrieving VPC: unable to find default VPC in %s region", args.String("region"))
}

func (c *cloud) regionRows(ctx context.Context) ([]map[string]any, error) {
	all, err := pages(func(o *godo.ListOptions) ([]godo.Region, *godo.Response, error) { return c.Regions.List(ctx, o) })
	if err != nil {
		return nil, err
	}
	rows := make([]map[string]any, 0, len(all))
	for _, r := range all {
		rows = append(rows, map[string]any{
			"slug": r.Slug, "name": r.Name, "available": r.Available,
			"sizes": nonNil(r.Sizes), "features": nonNil(r.Features),
		})
	}
	return rows, nil
}

func (c *cloud) getRegion(ctx context.Context, args provider.Values) (provider.Output, error) {
	rows, err := c.regionRows(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if r["slug"] == strings.ToLower(args.String("slug")) {
			out := provider.Output(r)
			out["id"] = r["slug"]
			return out, nil
		}
	}
	return nil, fmt.Errorf("region %q: %w", args.String("slug"), provider.ErrNotFound)
}

func (c *cloud) getRegions(ctx context.Context, args provider.Values) (provider.Output, error) {
	rows, err := c.regionRows(ctx)
	if err != nil {
		return nil, err
	}
	return listed("regions", rows, args)
}

func (c *cloud) getDroplets(ctx context.Context, args provider.Values) (provider.Output, error) {
	all, err := pages(func(o *godo.ListOptions) ([]godo.Droplet, *godo.Response, error) { return c.Droplets.List(ctx, o) })
	if err != nil {
		return nil, err
	}
	rows := make([]map[string]any, 0, len(all))
	for i := range all {
		out := described(&all[i])
		out["id"], out["urn"], out["image"], out["ipv6AddressPrivate"] = all[i].ID, out["dropletUrn"], "", ""
		delete(out, "dropletUrn")
		delete(out, "publicNetworking")
		rows = append(rows, out)
	}
	return listed("droplets", rows, args)
}

func (c *cloud) getSizes(ctx context.Context, args provider.Values) (provider.Output, error) {
	all, err := pages(func(o *godo.ListOptions) ([]godo.Size, *godo.Response, error) { return c.Sizes.List(ctx, o) })
	if err != nil {
		return nil, err
	}
	rows := make([]map[string]any, 0, len(all))
	for _, s := range all {
		rows = append(rows, map[string]any{
			"slug": s.Slug, "available": s.Available, "transfer": s.Transfer, "priceMonthly": s.PriceMonthly,
			"priceHourly": s.PriceHourly, "memory": s.Memory, "vcpus": s.Vcpus, "disk": s.Disk,
			"regions": nonNil(s.Regions),
		})
	}
	return listed("sizes", rows, args)
}
