package digitalocean

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"

	"github.com/digitalocean/godo"
)

// nameRE is what DigitalOcean accepts as a droplet's or VPC's name.
var nameRE = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]{0,253}$`)

// catalogueRegions are the regions that accept new droplets, and two old ones
// that are listed but full, as in the real catalogue.
var catalogueRegions = []godo.Region{
	{Slug: "nyc1", Name: "New York 1", Available: true},
	{Slug: "nyc2", Name: "New York 2", Available: false},
	{Slug: "nyc3", Name: "New York 3", Available: true},
	{Slug: "sfo1", Name: "San Francisco 1", Available: false},
	{Slug: "sfo2", Name: "San Francisco 2", Available: true},
	{Slug: "sfo3", Name: "San Francisco 3", Available: true},
	{Slug: "ams3", Name: "Amsterdam 3", Available: true},
	{Slug: "sgp1", Name: "Singapore 1", Available: true},
	{Slug: "lon1", Name: "London 1", Available: true},
	{Slug: "fra1", Name: "Frankfurt 1", Available: true},
	{Slug: "tor1", Name: "Toronto 1", Available: true},
	{Slug: "blr1", Name: "Bangalore 1", Available: true},
	{Slug: "syd1", Name: "Sydney 1", Available: true},
	{Slug: "atl1", Name: "Atlanta 1", Available: true},
}

// plan is one line of the price list: memory in MB, disk in GB, US dollars a month.
type plan struct {
	slug               string
	memory, cpus, disk int
	monthly            float64
	description        string
	without            []string // regions that lack it
}

// Dedicated plans are not offered everywhere.
var small = []string{"sfo1", "nyc2"}
var dedicated = []string{"sfo1", "nyc2", "sfo2"}

var plans = []plan{
	{"s-1vcpu-512mb-10gb", 512, 1, 10, 4, "Basic", small},
	{"s-1vcpu-1gb", 1024, 1, 25, 6, "Basic", small},
	{"s-1vcpu-1gb-amd", 1024, 1, 25, 7, "Basic AMD", small},
	{"s-1vcpu-1gb-intel", 1024, 1, 25, 7, "Basic Intel", small},
	{"s-1vcpu-2gb", 2048, 1, 50, 12, "Basic", small},
	{"s-1vcpu-2gb-amd", 2048, 1, 50, 14, "Basic AMD", small},
	{"s-1vcpu-2gb-intel", 2048, 1, 50, 14, "Basic Intel", small},
	{"s-2vcpu-2gb", 2048, 2, 60, 18, "Basic", small},
	{"s-2vcpu-2gb-amd", 2048, 2, 60, 21, "Basic AMD", small},
	{"s-2vcpu-2gb-intel", 2048, 2, 60, 21, "Basic Intel", small},
	{"s-2vcpu-4gb", 4096, 2, 80, 24, "Basic", small},
	{"s-2vcpu-4gb-amd", 4096, 2, 80, 28, "Basic AMD", small},
	{"s-2vcpu-4gb-intel", 4096, 2, 80, 28, "Basic Intel", small},
	{"s-4vcpu-8gb", 8192, 4, 160, 48, "Basic", small},
	{"s-4vcpu-8gb-amd", 8192, 4, 160, 56, "Basic AMD", small},
	{"s-4vcpu-8gb-intel", 8192, 4, 160, 56, "Basic Intel", small},
	{"s-8vcpu-16gb", 16384, 8, 320, 96, "Basic", small},
	{"s-8vcpu-16gb-amd", 16384, 8, 320, 112, "Basic AMD", small},
	{"s-8vcpu-16gb-intel", 16384, 8, 320, 112, "Basic Intel", small},
	{"c-2", 4096, 2, 25, 42, "CPU-Optimized", dedicated},
	{"c-4", 8192, 4, 50, 84, "CPU-Optimized", dedicated},
	{"c-8", 16384, 8, 100, 168, "CPU-Optimized", dedicated},
	{"g-2vcpu-8gb", 8192, 2, 25, 63, "General Purpose", dedicated},
	{"g-4vcpu-16gb", 16384, 4, 50, 126, "General Purpose", dedicated},
	{"g-8vcpu-32gb", 32768, 8, 100, 252, "General Purpose", dedicated},
	{"m-2vcpu-16gb", 16384, 2, 50, 84, "Memory-Optimized", dedicated},
	{"m-4vcpu-32gb", 32768, 4, 100, 168, "Memory-Optimized", dedicated},
}

// hoursPerMonth is how DigitalOcean turns its monthly prices into hourly ones.
const hoursPerMonth = 672

func sizeView(p plan) *godo.Size {
	s := &godo.Size{
		Slug: p.slug, Memory: p.memory, Vcpus: p.cpus, Disk: p.disk,
		PriceMonthly: p.monthly, PriceHourly: p.monthly / hoursPerMonth,
		Available: true, Transfer: float64(p.memory) / 1024, Description: p.description,
		Regions: []string{},
	}
	for _, r := range catalogueRegions {
		if !slices.Contains(p.without, r.Slug) {
			s.Regions = append(s.Regions, r.Slug)
		}
	}
	return s
}

// sizeOf finds a plan by slug.
func sizeOf(slug string) (plan, bool) {
	i := slices.IndexFunc(plans, func(p plan) bool { return p.slug == slug })
	if i < 0 {
		return plan{}, false
	}
	return plans[i], true
}

// regionView is a region as the API shows it, nil if there is none.
func regionView(slug string) *godo.Region {
	for _, r := range catalogueRegions {
		if r.Slug != slug {
			continue
		}
		r.Features = []string{"backups", "ipv6", "metadata", "install_agent", "storage", "image_transfer"}
		r.Sizes = []string{}
		for _, p := range plans {
			if !slices.Contains(p.without, slug) {
				r.Sizes = append(r.Sizes, p.slug)
			}
		}
		return &r
	}
	return nil
}

var images = []godo.Image{
	{ID: 155133621, Name: "12 x64", Type: "base", Distribution: "Debian", Slug: "debian-12-x64", MinDiskSize: 7},
	{ID: 195932981, Name: "13 x64", Type: "base", Distribution: "Debian", Slug: "debian-13-x64", MinDiskSize: 7},
	{ID: 129211873, Name: "22.04 (LTS) x64", Type: "base", Distribution: "Ubuntu", Slug: "ubuntu-22-04-x64", MinDiskSize: 7},
	{ID: 155133622, Name: "24.04 (LTS) x64", Type: "base", Distribution: "Ubuntu", Slug: "ubuntu-24-04-x64", MinDiskSize: 7},
}

// imageOf finds an image by slug or number.
func imageOf(ref string) *godo.Image {
	for _, img := range images {
		if img.Slug == ref || strconv.Itoa(img.ID) == ref {
			img.Public, img.Status, img.SizeGigaBytes = true, "available", 2.5
			for _, r := range catalogueRegions {
				img.Regions = append(img.Regions, r.Slug)
			}
			return &img
		}
	}
	return nil
}

type regionsBody struct {
	Regions []godo.Region `json:"regions"`
	listMeta
}

func (c *Cloud) listRegions(r *http.Request) (reply, error) {
	var all []godo.Region
	for _, reg := range catalogueRegions {
		all = append(all, *regionView(reg.Slug))
	}
	page, meta := paginate(r, all)
	return ok(regionsBody{page, meta})
}

type sizesBody struct {
	Sizes []godo.Size `json:"sizes"`
	listMeta
}

func (c *Cloud) listSizes(r *http.Request) (reply, error) {
	var all []godo.Size
	for _, p := range plans {
		all = append(all, *sizeView(p))
	}
	page, meta := paginate(r, all)
	return ok(sizesBody{page, meta})
}

type imageBody struct {
	Image godo.Image `json:"image"`
}

type imagesBody struct {
	Images []godo.Image `json:"images"`
	listMeta
}

func (c *Cloud) getImage(r *http.Request) (reply, error) {
	img := imageOf(r.PathValue("id"))
	if img == nil {
		return reply{}, notFound()
	}
	return ok(imageBody{*img})
}

func (c *Cloud) listImages(r *http.Request) (reply, error) {
	var all []godo.Image
	kind, private := r.URL.Query().Get("type"), r.URL.Query().Get("private") == "true"
	if (kind == "" || kind == "distribution") && !private {
		for _, img := range images {
			all = append(all, *imageOf(img.Slug))
		}
	}
	page, meta := paginate(r, all)
	return ok(imagesBody{page, meta})
}

type accountBody struct {
	Account godo.Account `json:"account"`
}

func (c *Cloud) getAccount(*http.Request) (reply, error) {
	return ok(accountBody{godo.Account{
		DropletLimit: 100, FloatingIPLimit: 25, ReservedIPLimit: 25, VolumeLimit: 100,
		Email: "operator@example.com", Name: "Simulated account",
		UUID: "b6fr89dbf6d9156cace5f3c78dc9851d957381ef", EmailVerified: true, Status: "active",
		Team: &godo.TeamInfo{Name: "Simulated team", UUID: "5df3e3004a17e242b7c20ca6c9fc25b701a47ece"},
	}})
}
