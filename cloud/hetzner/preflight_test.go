package hetzner

import (
	"testing"

	"github.com/pulumi/pulumi-hcloud/sdk/go/hcloud"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/cloud"
)

func at(name string, available bool, until string) hcloud.GetServerTypesServerTypeLocation {
	return hcloud.GetServerTypesServerTypeLocation{Name: name, Available: available, UnavailableAfter: until}
}

func TestMarket(t *testing.T) {
	t.Parallel()
	locations := []hcloud.GetLocationsLocation{{Name: "fsn1"}, {Name: "ash"}}
	types := []hcloud.GetServerTypesServerType{
		{Name: "cax11", Architecture: "arm", Memory: 4, Locations: []hcloud.GetServerTypesServerTypeLocation{at("fsn1", true, "")}},
		{Name: "cx23", Architecture: "x86", Cores: 2, Memory: 4, Disk: 40, Locations: []hcloud.GetServerTypesServerTypeLocation{at("fsn1", false, "")}},
		{Name: "cpx11", Architecture: "x86", Cores: 2, Memory: 2, Disk: 40, Locations: []hcloud.GetServerTypesServerTypeLocation{at("ash", true, "2027-01-01T00:00:00Z")}},
	}
	small := []cloud.SizeRequest{{Path: "construct:roles.app.size", Size: cloud.Small}}

	europe, err := market("fsn1", locations, types).Resolve(small)
	require.NoError(t, err)
	assert.Equal(t, cloud.Size{Slug: "cx23", VCPUs: 2, MemoryMB: 4096, DiskGB: 40}, europe.Sizes[small[0].Path])
	assert.Len(t, europe.Warnings, 1, "sold out is a warning: the server may exist already")

	america, err := market("ash", locations, types).Resolve(small)
	require.NoError(t, err)
	assert.Equal(t, "cpx11", america.Sizes[small[0].Path].Slug, "the CX line is not sold in America")
	assert.Contains(t, america.Warnings[0], "2027-01-01")

	_, err = market("fsn1", locations, types).Resolve([]cloud.SizeRequest{{Path: "p", Size: "cax11"}})
	require.ErrorContains(t, err, "no x86 size", "the images are built for x86")
}

// memoryGB is what the types that are named have, from the catalogue that the
// API serves.
func memoryGB(t *testing.T, slug string) int {
	t.Helper()
	memory, ok := map[string]int{
		"cx23": 4, "cx33": 8, "cx43": 16, "cpx11": 2, "cpx12": 2, "cpx21": 4, "cpx22": 4, "cpx31": 8, "cpx32": 8, "cpx42": 16,
	}[slug]
	require.True(t, ok, "%s", slug)
	return memory
}

func TestNamedSizesKeepTheirPromise(t *testing.T) {
	t.Parallel()
	for size, slugs := range named() {
		for _, slug := range slugs {
			assert.GreaterOrEqual(t, memoryGB(t, slug)*megabytes, cloud.LeastMemoryMB(size), "%s is %s", size, slug)
		}
	}
	assert.Len(t, named(), 3)
}
