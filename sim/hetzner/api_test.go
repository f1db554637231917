package hetzner_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/construct-server/infra/sim/hetzner"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
	"github.com/stretchr/testify/require"
)

func TestListsSelectAndPage(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	for i := range 60 {
		l := map[string]string{"n": fmt.Sprint(i % 3)}
		if i == 0 {
			l["first"] = ""
		}
		_, _, err := p.PlacementGroup.Create(p.ctx(), hcloud.PlacementGroupCreateOpts{Name: fmt.Sprintf("g%d", i), Type: hcloud.PlacementGroupTypeSpread, Labels: l})
		require.NoError(t, err)
	}
	all, err := p.PlacementGroup.All(p.ctx())
	require.NoError(t, err)
	require.Len(t, all, 60)
	_, resp, err := p.PlacementGroup.List(p.ctx(), hcloud.PlacementGroupListOpts{ListOpts: hcloud.ListOpts{Page: 2}})
	require.NoError(t, err)
	require.Equal(t, &hcloud.Pagination{Page: 2, PerPage: 25, PreviousPage: 1, NextPage: 3, LastPage: 3, TotalEntries: 60}, resp.Meta.Pagination)
	for selector, want := range map[string]int{
		"n=1": 20, "n==1": 20, "n!=1": 40, "first": 1, "!first": 59, "n in (0,2)": 40, "n notin (0)": 40, "n=0,first": 1, "x=1": 0,
	} {
		got, err := p.PlacementGroup.AllWithOpts(p.ctx(), hcloud.PlacementGroupListOpts{ListOpts: hcloud.ListOpts{LabelSelector: selector}})
		require.NoError(t, err)
		require.Len(t, got, want, selector)
	}
	g, _, err := p.PlacementGroup.GetByName(p.ctx(), "g7")
	require.NoError(t, err)
	require.Equal(t, "g7", g.Name)
	g, _, err = p.PlacementGroup.Update(p.ctx(), g, hcloud.PlacementGroupUpdateOpts{Name: "g-seven"})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"n": "1"}, g.Labels)
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	kinds, err := p.ServerType.All(p.ctx())
	require.NoError(t, err)
	for _, k := range kinds {
		require.NotEmpty(t, k.Pricings, k.Name)
		require.NotEmpty(t, k.Locations, k.Name)
	}
	k, _, err := p.ServerType.GetByName(p.ctx(), "cx22")
	require.NoError(t, err)
	require.True(t, k.IsDeprecated())
	img, _, err := p.Image.GetForArchitecture(p.ctx(), "debian-12", hcloud.ArchitectureX86)
	require.NoError(t, err)
	require.Equal(t, hcloud.ArchitectureX86, img.Architecture)
	locs, err := p.Location.All(p.ctx())
	require.NoError(t, err)
	require.Len(t, locs, 6)
	prices, _, err := p.Pricing.Get(p.ctx())
	require.NoError(t, err)
	require.NotEmpty(t, prices.Volume.PerGBMonthly.Gross)
	require.Len(t, prices.PrimaryIPs, 2)
}

func TestBudgetAndAuthorization(t *testing.T) {
	t.Parallel()
	p := newProject(t, func(o *hetzner.Options) { o.RequestsPerHour = 2 })
	for range 2 {
		_, resp, err := p.Location.List(p.ctx(), hcloud.LocationListOpts{})
		require.NoError(t, err)
		require.Equal(t, "2", resp.Header.Get("RateLimit-Limit"))
		require.NotEmpty(t, resp.Header.Get("RateLimit-Remaining"))
		require.NotEmpty(t, resp.Header.Get("RateLimit-Reset"))
	}
	_, _, err := p.Location.List(p.ctx(), hcloud.LocationListOpts{})
	refused(t, err, hcloud.ErrorCodeRateLimitExceeded, "limit")
	short := hcloud.NewClient(hcloud.WithEndpoint(p.url+"/v1"), hcloud.WithToken("short"))
	_, _, err = short.Location.List(p.ctx(), hcloud.LocationListOpts{})
	refused(t, err, hcloud.ErrorCodeUnauthorized, "authenticate")
}

func TestUnknownFieldsAndRoutes(t *testing.T) {
	t.Parallel()
	var line string
	p := newProject(t, func(o *hetzner.Options) { o.Logf = func(f string, args ...any) { line = fmt.Sprintf(f, args...) } })
	_, err := p.FloatingIP.All(p.ctx())
	refused(t, err, "not_implemented", "does not model GET /v1/floating_ips")
	require.Equal(t, "hetzner: no route for GET /v1/floating_ips", line)

	req, err := http.NewRequestWithContext(p.ctx(), http.MethodPost, p.url+"/v1/networks", strings.NewReader(`{"name":"n","colour":"red"}`))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+strings.Repeat("x", 64))
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, 422, res.StatusCode)
	require.Contains(t, string(body), `unknown field \"colour\"`)
}
