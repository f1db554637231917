package cloud

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func market() Market {
	return Market{
		Cloud:   "Cumulus",
		Region:  "east",
		Regions: []string{"west", "east"},
		Offers: []Offer{
			{Size: Size{Slug: "a2", MemoryMB: 2048}, Regions: []string{"west"}},
			{Size: Size{Slug: "b2", MemoryMB: 2048}, Regions: []string{"east", "west"}, SoldOut: []string{"east"}},
			{Size: Size{Slug: "c8", MemoryMB: 8192}, Regions: []string{"east"}, Retires: map[string]string{"east": "2027-01-01"}},
		},
		Named: map[string][]string{Small: {"a2", "b2"}, Medium: {"m4"}, Large: {"c8"}},
	}
}

func TestResolveTakesTheFirstSizeSoldInTheRegion(t *testing.T) {
	t.Parallel()
	got, err := market().Resolve([]SizeRequest{{Path: "p1", Size: Small}, {Path: "p2", Size: "c8"}})
	require.NoError(t, err)
	assert.Equal(t, "b2", got.Sizes["p1"].Slug, "a2 comes first but is not sold in the east; stock must not decide")
	assert.Equal(t, 8192, got.Sizes["p2"].MemoryMB)
	assert.Equal(t, []string{
		"p1: Cumulus has no b2 free in east at the moment: creating a server may fail",
		"p2: Cumulus stops offering c8 in east after 2027-01-01",
	}, got.Warnings)
}

func TestResolveKeepsTheNamedSizesPromise(t *testing.T) {
	t.Parallel()
	m := market()
	m.Named[Medium] = []string{"b2", "c8"}
	got, err := m.Resolve([]SizeRequest{{Path: "p", Size: Medium}})
	require.NoError(t, err)
	assert.Equal(t, "c8", got.Sizes["p"].Slug, "b2 has less memory than medium promises")
}

func TestResolveReportsEveryProblem(t *testing.T) {
	t.Parallel()
	_, err := market().Resolve([]SizeRequest{
		{Path: "construct:roles.app.size", Size: "a2"},
		{Path: "construct:roles.db.size", Size: Large},
		{Path: "construct:roles.media.size", Size: Medium},
	})
	require.EqualError(t, err, `construct:roles.app.size: "a2" is no x86 size that Cumulus offers in east (want small, medium, large or one of b2, c8)
construct:roles.media.size: "medium" is no x86 size that Cumulus offers in east (want small, medium, large or one of b2, c8)`)
}

func TestResolveUnknownRegion(t *testing.T) {
	t.Parallel()
	m := market()
	m.Region = "north"
	_, err := m.Resolve(nil)
	require.EqualError(t, err, `construct:region: Cumulus has no region "north" (want one of east, west)`)
}

func TestListIsBounded(t *testing.T) {
	t.Parallel()
	names := []string{"n", "m", "l", "k", "j", "i", "h", "g", "f", "e", "d", "c", "b", "a"}
	assert.Equal(t, "a, b, c, d, e, f, g, h, i, j, k, l and 2 more", list(names))
	assert.Equal(t, "none", list(nil))
}

func TestScopeName(t *testing.T) {
	t.Parallel()
	s := Scope{Project: "construct", Stack: "prod"}
	assert.Equal(t, "construct-prod", s.Name())
	assert.Equal(t, "construct-prod-db-1", s.Name("db", "1"))
}

// stocked is the market with a choice: b2 is sold out, d4 is not.
func stocked(have map[string]string) Market {
	m := market()
	m.Offers = append(m.Offers, Offer{Size: Size{Slug: "d4", MemoryMB: 4096}, Regions: []string{"east"}})
	m.Have = have
	return m
}

func TestFallbacks(t *testing.T) {
	t.Parallel()
	const taken = "p: Cumulus has no b2 free in east at the moment: one is made as d4, the next in the list, and stays so"
	for name, c := range map[string]struct {
		fallbacks     []string
		have          map[string]string
		want, next    string
		warns, failed string
	}{
		"the first in stock":             {fallbacks: []string{"d4", "c8"}, want: "d4", next: "c8", warns: taken},
		"an existing one keeps its size": {fallbacks: []string{"d4"}, have: map[string]string{"one": "b2"}, want: "b2", next: "d4"},
		"a choice is remembered":         {fallbacks: []string{"d4", "c8"}, have: map[string]string{"one": "c8"}, want: "c8"},
		"another size is a resize":       {fallbacks: []string{"d4"}, have: map[string]string{"one": "a2"}, want: "b2", next: "d4"},
		"another server's says nothing":  {fallbacks: []string{"d4"}, have: map[string]string{"two": "b2"}, want: "d4", warns: taken},
		"an unknown one": {
			fallbacks: []string{"d4", "e1"},
			failed:    `f[1]: "e1" is no x86 size that Cumulus offers in east (want small, medium, large or one of b2, c8, d4)`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := stocked(c.have).Resolve([]SizeRequest{{Path: "p", Size: Small, Fallbacks: c.fallbacks, FallbackPath: "f", Server: "one"}})
			if c.failed != "" {
				require.EqualError(t, err, c.failed)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got.Sizes["p"].Slug)
			assert.Equal(t, c.next, got.Sizes["p"].Next)
			if c.warns != "" {
				assert.Contains(t, got.Warnings, c.warns)
			} else {
				assert.NotContains(t, strings.Join(got.Warnings, "\n"), "free")
			}
		})
	}
}
