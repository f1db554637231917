package hetzner

import (
	"fmt"

	"github.com/pulumi/pulumi-hcloud/sdk/go/hcloud"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
)

// megabytes per gigabyte, which is how the catalogue counts memory.
const megabytes = 1024

// named lists x86 types, best first. The cost-optimised CX line is sold in
// Europe only; outside it the CPX line of the first generation is what there
// is. CX22 to CX52, and CPX11 to CPX51 in Europe, were deprecated on
// 2025-10-16 (docs.hetzner.cloud/changelog#2025-10-16-server-types-deprecated).
func named() map[string][]string {
	return map[string][]string{
		cloud.Small:  {"cx23", "cpx22", "cpx12", "cpx11"},
		cloud.Medium: {"cx33", "cpx32", "cpx22", "cpx21"},
		cloud.Large:  {"cx43", "cpx42", "cpx32", "cpx31"},
	}
}

// Preflight reads /v1/locations and /v1/server_types, where there is a choice of
// sizes /v1/servers, and /v1/pricing where it has a token. A price that is not to
// be had is said and then missing.
func (p *Provider) Preflight(ctx *pulumi.Context, want []cloud.SizeRequest) (cloud.Catalogue, error) {
	locations, err := hcloud.GetLocations(ctx)
	if err != nil {
		return cloud.Catalogue{}, fmt.Errorf("list Hetzner's locations: %w", err)
	}
	types, err := hcloud.GetServerTypes(ctx)
	if err != nil {
		return cloud.Catalogue{}, fmt.Errorf("list Hetzner's server types: %w", err)
	}
	m := market(p.scope.Region, locations.Locations, types.ServerTypes)
	if cloud.Remembers(want) {
		if m.Have, err = p.have(ctx); err != nil {
			return cloud.Catalogue{}, err
		}
	}
	catalogue, err := m.Resolve(want)
	if err != nil {
		return cloud.Catalogue{}, err
	}
	for _, l := range locations.Locations {
		if l.Name == p.scope.Region {
			catalogue.Zone = l.NetworkZone
		}
	}
	if p.account.Token == "" {
		return catalogue, nil
	}
	prices, err := p.account.prices(ctx.Context(), p.scope.Region)
	if err != nil {
		catalogue.Warnings = append(catalogue.Warnings, fmt.Sprintf("no monthlyCost: %v", err))
	}
	for name, size := range catalogue.Sizes {
		size.PriceMonthly, size.Currency = prices[size.Slug].amount, prices[size.Slug].currency
		catalogue.Sizes[name] = size
	}
	return catalogue, nil
}

// have are the types of the deployment's servers, by name.
func (p *Provider) have(ctx *pulumi.Context) (map[string]string, error) {
	found, err := hcloud.GetServers(ctx, &hcloud.GetServersArgs{
		WithSelector: pulumi.StringRef(fmt.Sprintf("project=%s,stack=%s", p.scope.Project, p.scope.Stack)),
	})
	if err != nil {
		return nil, fmt.Errorf("list Hetzner's servers: %w", err)
	}
	have := map[string]string{}
	for _, s := range found.Servers {
		have[s.Name] = s.ServerType
	}
	return have, nil
}

// market translates the catalogue, leaving out types that cannot run the
// images, which are built for x86.
func market(region string, locations []hcloud.GetLocationsLocation, types []hcloud.GetServerTypesServerType) cloud.Market {
	m := cloud.Market{Cloud: "Hetzner", Region: region, Named: named()}
	for _, l := range locations {
		m.Regions = append(m.Regions, l.Name)
	}
	for _, t := range types {
		if t.Architecture != "x86" {
			continue
		}
		offer := cloud.Offer{
			Size:    cloud.Size{Slug: t.Name, VCPUs: t.Cores, MemoryMB: t.Memory * megabytes, DiskGB: t.Disk},
			Retires: map[string]string{},
		}
		for _, l := range t.Locations {
			offer.Regions = append(offer.Regions, l.Name)
			if !l.Available {
				offer.SoldOut = append(offer.SoldOut, l.Name)
			}
			if l.UnavailableAfter != "" {
				offer.Retires[l.Name] = l.UnavailableAfter
			}
		}
		m.Offers = append(m.Offers, offer)
	}
	return m
}
