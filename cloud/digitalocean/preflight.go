package digitalocean

import (
	"fmt"

	"github.com/pulumi/pulumi-digitalocean/sdk/v4/go/digitalocean"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
)

// named are the basic regular droplets, which every region sells.
func named() map[string][]string {
	return map[string][]string{
		cloud.Small:  {"s-1vcpu-2gb"},
		cloud.Medium: {"s-2vcpu-4gb"},
		cloud.Large:  {"s-4vcpu-8gb"},
	}
}

// Preflight reads /v2/regions and /v2/sizes, and where there is a choice of
// sizes, /v2/droplets.
func (p *Provider) Preflight(ctx *pulumi.Context, want []cloud.SizeRequest) (cloud.Catalogue, error) {
	regions, err := digitalocean.GetRegions(ctx, &digitalocean.GetRegionsArgs{})
	if err != nil {
		return cloud.Catalogue{}, fmt.Errorf("list DigitalOcean's regions: %w", err)
	}
	sizes, err := digitalocean.GetSizes(ctx, &digitalocean.GetSizesArgs{})
	if err != nil {
		return cloud.Catalogue{}, fmt.Errorf("list DigitalOcean's sizes: %w", err)
	}
	m := market(p.scope.Region, regions.Regions, sizes.Sizes)
	if cloud.Remembers(want) {
		droplets, err := p.droplets(ctx)
		if err != nil {
			return cloud.Catalogue{}, err
		}
		m.Have = map[string]string{}
		for _, d := range droplets {
			m.Have[d.Name] = d.Size
		}
	}
	return m.Resolve(want)
}

// droplets lists the deployment's, which the state need not know.
func (p *Provider) droplets(ctx *pulumi.Context) ([]digitalocean.GetDropletsDroplet, error) {
	found, err := digitalocean.GetDroplets(ctx, &digitalocean.GetDropletsArgs{
		Filters: []digitalocean.GetDropletsFilter{{Key: "tags", Values: []string{p.scope.Name()}}},
	})
	if err != nil {
		return nil, fmt.Errorf("list DigitalOcean's droplets: %w", err)
	}
	return found.Droplets, nil
}

// market translates the catalogue. A size that is not "available" can be kept
// but not created.
func market(region string, regions []digitalocean.GetRegionsRegion, sizes []digitalocean.GetSizesSize) cloud.Market {
	m := cloud.Market{Cloud: "DigitalOcean", Region: region, Named: named()}
	for _, r := range regions {
		m.Regions = append(m.Regions, r.Slug)
	}
	for _, s := range sizes {
		offer := cloud.Offer{
			Size: cloud.Size{
				Slug: s.Slug, VCPUs: s.Vcpus, MemoryMB: s.Memory, DiskGB: s.Disk,
				PriceMonthly: s.PriceMonthly, Currency: "USD",
			},
			Regions: s.Regions,
		}
		if !s.Available {
			offer.SoldOut = s.Regions
		}
		m.Offers = append(m.Offers, offer)
	}
	return m
}
