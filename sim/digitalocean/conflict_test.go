package digitalocean_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/construct-server/infra/sim/digitalocean"
	"github.com/digitalocean/godo"
	"github.com/stretchr/testify/require"
)

func TestVPCConflicts(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.vpc("one", "10.20.0.0/20")
	for name, c := range map[string]struct{ name, region, cidr, message string }{
		"name taken":   {"one", "fra1", "10.30.0.0/20", "already in use"},
		"same range":   {"two", "fra1", "10.20.0.0/20", "overlaps"},
		"inside":       {"two", "nyc3", "10.20.4.0/24", "overlaps with another VPC network in your account: 10.20.0.0/20"},
		"reserved":     {"two", "fra1", "10.244.0.0/20", "overlaps"},
		"public":       {"two", "fra1", "8.8.0.0/20", "private"},
		"too wide":     {"two", "fra1", "10.0.0.0/8", "between /16 and /28"},
		"host bits":    {"two", "fra1", "10.30.0.1/20", "valid CIDR"},
		"region":       {"two", "mars1", "10.30.0.0/20", "region"},
		"invalid name": {"t_o", "fra1", "10.30.0.0/20", "name"},
	} {
		_, _, err := a.VPCs.Create(a.ctx(), &godo.VPCCreateRequest{Name: c.name, RegionSlug: c.region, IPRange: c.cidr})
		t.Run(name, func(t *testing.T) { refused(t, err, 422, c.message) })
	}
}

func TestVPCRoutes(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	first := a.vpc("first", "")
	require.True(t, first.Default, "a region's first VPC is its default")
	v := a.vpc("one", "")
	require.False(t, v.Default)
	v, _, err := a.VPCs.Update(a.ctx(), v.ID, &godo.VPCUpdateRequest{Name: "uno", Description: "d"})
	require.NoError(t, err)
	v, _, err = a.VPCs.Set(a.ctx(), v.ID, godo.VPCSetDescription("e"))
	require.NoError(t, err)
	require.Equal(t, "uno", v.Name)
	require.Equal(t, "e", v.Description)
	a.droplet(godo.DropletCreateRequest{Name: "in", VPCUUID: v.ID})
	m, _, err := a.VPCs.ListMembers(a.ctx(), v.ID, nil, nil)
	require.NoError(t, err)
	require.Equal(t, "in", m[0].Name)
	a.droplet(godo.DropletCreateRequest{Name: "out"})
	all, _, err := a.VPCs.List(a.ctx(), nil)
	require.NoError(t, err)
	require.Len(t, all, 2)
	m, _, err = a.VPCs.ListMembers(a.ctx(), first.ID, nil, nil)
	require.NoError(t, err)
	require.Equal(t, "out", m[0].Name, "a droplet without a VPC is in the region's default one")
	a.droplet(godo.DropletCreateRequest{Name: "elsewhere", Region: "nyc3"})
	all, _, err = a.VPCs.List(a.ctx(), nil)
	require.NoError(t, err)
	require.Len(t, all, 3, "which is made if there is none")
	require.Equal(t, "default-nyc3", all[2].Name)
	require.True(t, all[2].Default)
}

func TestDefaultVPC(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	first, second := a.vpc("first", ""), a.vpc("second", "")
	_, err := a.VPCs.Delete(a.ctx(), first.ID)
	refused(t, err, 403, "Can not delete default VPCs")
	_, _, err = a.VPCs.Update(a.ctx(), first.ID, &godo.VPCUpdateRequest{Name: "first", Default: godo.PtrTo(false)})
	refused(t, err, 422, "default cannot be unset")
	_, _, err = a.VPCs.Update(a.ctx(), second.ID, &godo.VPCUpdateRequest{Name: "second", Default: godo.PtrTo(true)})
	require.NoError(t, err)
	_, err = a.VPCs.Delete(a.ctx(), first.ID)
	require.NoError(t, err, "the way out: another default")
}

func TestDropletConflicts(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	good := godo.DropletCreateRequest{Name: "x", Region: "fra1", Size: "s-1vcpu-2gb", Image: godo.DropletCreateImage{Slug: "debian-12-x64"}}
	for name, c := range map[string]struct {
		change  func(*godo.DropletCreateRequest)
		message string
	}{
		"size":           {func(r *godo.DropletCreateRequest) { r.Size = "huge" }, "invalid size"},
		"region":         {func(r *godo.DropletCreateRequest) { r.Region = "mars1" }, "invalid region"},
		"image":          {func(r *godo.DropletCreateRequest) { r.Image.Slug = "plan9" }, "invalid image"},
		"full region":    {func(r *godo.DropletCreateRequest) { r.Region = "nyc2" }, "not accepting new Droplets"},
		"not there":      {func(r *godo.DropletCreateRequest) { r.Region, r.Size = "sfo2", "c-2" }, "not available in this region"},
		"name":           {func(r *godo.DropletCreateRequest) { r.Name = "a_b" }, "hostname characters"},
		"key":            {func(r *godo.DropletCreateRequest) { r.SSHKeys = []godo.DropletCreateSSHKey{{ID: 5}} }, "5 are invalid key identifiers"},
		"vpc":            {func(r *godo.DropletCreateRequest) { r.VPCUUID = "do:vpc:1" }, "VPC"},
		"volume":         {func(r *godo.DropletCreateRequest) { r.Volumes = []godo.DropletCreateVolume{{ID: "v"}} }, "volume"},
		"tag":            {func(r *godo.DropletCreateRequest) { r.Tags = []string{"a b"} }, "tag"},
		"user data":      {func(r *godo.DropletCreateRequest) { r.UserData = strings.Repeat("x", 1<<16+1) }, "too long"},
		"unknown policy": {func(r *godo.DropletCreateRequest) { r.BackupPolicy = &godo.DropletBackupPolicyRequest{Plan: "daily"} }, `unknown field "backup_policy"`},
		"subnet":         {func(r *godo.DropletCreateRequest) { r.SubnetUUID = "x" }, `unknown field "subnet_uuid"`},
	} {
		req := good
		c.change(&req)
		_, _, err := a.Droplets.Create(a.ctx(), &req)
		t.Run(name, func(t *testing.T) { refused(t, err, 422, c.message) })
	}
	require.NotContains(t, a.cloud.Resources(), "droplet")
}

func TestVolumesAtCreation(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	vol, _, err := a.Storage.CreateVolume(a.ctx(), &godo.VolumeCreateRequest{Region: "fra1", Name: "data", SizeGigaBytes: 10, FilesystemType: "ext4"})
	require.NoError(t, err)
	_, _, err = a.Storage.CreateVolume(a.ctx(), &godo.VolumeCreateRequest{Region: "fra1", Name: "data", SizeGigaBytes: 10})
	refused(t, err, 409, "already exists")
	d := a.droplet(godo.DropletCreateRequest{Name: "one", Volumes: []godo.DropletCreateVolume{{ID: vol.ID}}})
	require.Equal(t, []string{vol.ID}, d.VolumeIDs)
	h, _ := a.backend.Host("one")
	require.Equal(t, "scsi-0DO_Volume_data", h.Spec.Volumes[0].ByID)
	_, _, err = a.StorageActions.Attach(a.ctx(), vol.ID, d.ID)
	refused(t, err, 422, "already attached")
	a.done(a.StorageActions.Resize(a.ctx(), vol.ID, 20, "fra1"))
	_, _, err = a.StorageActions.Resize(a.ctx(), vol.ID, 10, "fra1")
	refused(t, err, 422, "only grows")
	list, _, err := a.Storage.ListVolumes(a.ctx(), &godo.ListVolumeParams{Name: "data", Region: "fra1"})
	require.NoError(t, err)
	require.Equal(t, int64(20), list[0].SizeGigaBytes)
	acts, _, err := a.StorageActions.List(a.ctx(), vol.ID, nil)
	require.NoError(t, err)
	_, _, err = a.StorageActions.Get(a.ctx(), vol.ID, acts[0].ID)
	require.NoError(t, err)
	a.done(a.StorageActions.DetachByDropletID(a.ctx(), vol.ID, d.ID))
	_, _, err = a.StorageActions.DetachByDropletID(a.ctx(), vol.ID, d.ID)
	refused(t, err, 422, "Attachment not found")
}

func TestPagination(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	for i := range 45 {
		_, _, err := a.Tags.Create(a.ctx(), &godo.TagCreateRequest{Name: fmt.Sprintf("t%d", i)})
		require.NoError(t, err)
	}
	seen := 0
	for page := 1; ; page++ {
		tags, resp, err := a.Tags.List(a.ctx(), &godo.ListOptions{Page: page})
		require.NoError(t, err)
		require.Equal(t, 45, resp.Meta.Total)
		seen += len(tags)
		if resp.Links.IsLastPage() {
			require.Equal(t, 3, page, "20 to a page unless asked")
			break
		}
	}
	require.Equal(t, 45, seen)
	tags, _, err := a.Tags.List(a.ctx(), &godo.ListOptions{PerPage: 1000})
	require.NoError(t, err)
	require.Len(t, tags, 45)
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	regions, _, err := a.Regions.List(a.ctx(), &godo.ListOptions{PerPage: 200})
	require.NoError(t, err)
	sizes, _, err := a.Sizes.List(a.ctx(), &godo.ListOptions{PerPage: 200})
	require.NoError(t, err)
	require.NotEmpty(t, sizes)
	for _, s := range sizes {
		require.Positive(t, s.PriceMonthly, s.Slug)
		require.Contains(t, s.Regions, "fra1", s.Slug)
	}
	require.NotEmpty(t, regions)
	img, _, err := a.Images.GetBySlug(a.ctx(), "debian-12-x64")
	require.NoError(t, err)
	require.Equal(t, "Debian", img.Distribution)
	_, _, err = a.Images.GetBySlug(a.ctx(), "plan9")
	refused(t, err, 404, "")
	imgs, _, err := a.Images.ListDistribution(a.ctx(), nil)
	require.NoError(t, err)
	require.NotEmpty(t, imgs)
	acc, _, err := a.Account.Get(a.ctx())
	require.NoError(t, err)
	require.Equal(t, "active", acc.Status)
}

func TestBudgetAndAuthorization(t *testing.T) {
	t.Parallel()
	a := newAccount(t, func(o *digitalocean.Options) { o.RequestsPerHour = 3 })
	_, resp, err := a.Account.Get(a.ctx())
	require.NoError(t, err)
	require.Equal(t, 3, resp.Limit)
	require.Equal(t, 2, resp.Remaining)
	require.False(t, resp.Reset.IsZero())
	for range 2 {
		_, _, err = a.Account.Get(a.ctx())
		require.NoError(t, err)
	}
	_, _, err = a.Account.Get(a.ctx())
	refused(t, err, 429, "rate limit")

	req, err := http.NewRequestWithContext(a.ctx(), http.MethodGet, a.url+"/v2/account", nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, 401, res.StatusCode)
	require.Contains(t, string(body), `"id":"unauthorized"`)
}

func TestUnknownRoute(t *testing.T) {
	t.Parallel()
	var line string
	a := newAccount(t, func(o *digitalocean.Options) { o.Logf = func(f string, args ...any) { line = fmt.Sprintf(f, args...) } })
	_, _, err := a.Kubernetes.List(a.ctx(), nil)
	refused(t, err, 501, "does not model GET /v2/kubernetes/clusters")
	require.Equal(t, "digitalocean: no route for GET /v2/kubernetes/clusters", line)
}
