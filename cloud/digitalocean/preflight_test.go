package digitalocean

import (
	"testing"

	"github.com/pulumi/pulumi-digitalocean/sdk/v4/go/digitalocean"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/cloud"
)

func TestMarket(t *testing.T) {
	t.Parallel()
	regions := []digitalocean.GetRegionsRegion{{Slug: "fra1", Available: true}}
	sizes := []digitalocean.GetSizesSize{
		{Slug: "s-1vcpu-2gb", Vcpus: 1, Memory: 2048, Disk: 50, PriceMonthly: 12, Available: true, Regions: []string{"fra1"}},
		{Slug: "s-2vcpu-4gb", Vcpus: 2, Memory: 4096, Disk: 80, PriceMonthly: 24, Available: false, Regions: []string{"fra1"}},
		{Slug: "s-4vcpu-8gb", Available: true, Regions: []string{"nyc3"}},
	}
	got, err := market("fra1", regions, sizes).Resolve([]cloud.SizeRequest{{Path: "a", Size: cloud.Small}, {Path: "b", Size: cloud.Medium}})
	require.NoError(t, err)
	assert.Equal(t, cloud.Size{Slug: "s-1vcpu-2gb", VCPUs: 1, MemoryMB: 2048, DiskGB: 50, PriceMonthly: 12, Currency: "USD"}, got.Sizes["a"])
	assert.Equal(t, []string{"b: DigitalOcean has no s-2vcpu-4gb free in fra1 at the moment: creating a server may fail"}, got.Warnings)

	_, err = market("fra1", regions, sizes).Resolve([]cloud.SizeRequest{{Path: "c", Size: cloud.Large}})
	require.ErrorContains(t, err, `c: "large" is no x86 size that DigitalOcean offers in fra1`)
}

func TestNamedSizesKeepTheirPromise(t *testing.T) {
	t.Parallel()
	memoryMB := map[string]int{"s-1vcpu-2gb": 2048, "s-2vcpu-4gb": 4096, "s-4vcpu-8gb": 8192}
	for size, slugs := range named() {
		for _, slug := range slugs {
			assert.GreaterOrEqual(t, memoryMB[slug], cloud.LeastMemoryMB(size), "%s is %s", size, slug)
		}
	}
	assert.Len(t, named(), 3)
}
