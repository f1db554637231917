package hetzner

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/hetznercloud/hcloud-go/v2/hcloud/schema"
)

func (c *Cloud) catalogueRoutes() map[string]handler {
	return map[string]handler{
		"GET /v1/locations": static("locations", func() []schema.Location { return locations },
			func(l schema.Location) string { return l.Name }),
		"GET /v1/locations/{id}": one("location", location),
		"GET /v1/datacenters": static("datacenters", datacenters,
			func(d schema.Datacenter) string { return d.Name }),
		"GET /v1/datacenters/{id}": one("datacenter", func(id string) *schema.Datacenter {
			for _, d := range datacenters() {
				if strconv.FormatInt(d.ID, 10) == id {
					return &d
				}
			}
			return nil
		}),
		"GET /v1/server_types": static("server_types", serverTypes,
			func(t schema.ServerType) string { return t.Name }),
		"GET /v1/server_types/{id}": one("server_type", func(id string) *schema.ServerType {
			m, found := modelOf(id)
			if !found {
				return nil
			}
			v := m.view()
			return &v
		}),
		"GET /v1/images":       c.listImages,
		"GET /v1/images/{id}":  one("image", imageOf),
		"GET /v1/pricing":      c.getPricing,
		"GET /v1/actions":      c.listActions,
		"GET /v1/actions/{id}": c.getAction,
	}
}

func datacenters() []schema.Datacenter {
	var out []schema.Datacenter
	for _, l := range locations {
		out = append(out, datacenter(l))
	}
	return out
}

func serverTypes() []schema.ServerType {
	var out []schema.ServerType
	for _, m := range models {
		out = append(out, m.view())
	}
	return out
}

// systemImages are Hetzner's own images, one per architecture.
func systemImages() []schema.Image {
	var out []schema.Image
	for _, i := range []struct {
		id                          int64
		name, flavor, version, arch string
	}{
		{114690387, "debian-12", "debian", "12", "x86"},
		{114690389, "debian-12", "debian", "12", "arm"},
		{310557660, "debian-13", "debian", "13", "x86"},
		{310557661, "debian-13", "debian", "13", "arm"},
		{161547269, "ubuntu-24.04", "ubuntu", "24.04", "x86"},
		{161547270, "ubuntu-24.04", "ubuntu", "24.04", "arm"},
	} {
		created := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
		out = append(out, schema.Image{
			ID: i.id, Status: "available", Type: "system", Name: &i.name, Description: i.name, DiskSize: 5,
			Created: &created, OSFlavor: i.flavor, OSVersion: &i.version, Architecture: i.arch,
			RapidDeploy: true, Labels: map[string]string{},
		})
	}
	return out
}

func imageOf(id string) *schema.Image {
	for _, i := range systemImages() {
		if strconv.FormatInt(i.ID, 10) == id {
			return &i
		}
	}
	return nil
}

func (c *Cloud) listImages(r *http.Request) (reply, error) {
	q := r.URL.Query()
	want := func(key, value string) bool { return len(q[key]) == 0 || slices.Contains(q[key], value) }
	var all []schema.Image
	for _, i := range systemImages() {
		if want("name", *i.Name) && want("architecture", i.Architecture) && want("type", i.Type) && want("status", i.Status) {
			all = append(all, i)
		}
	}
	return listReply(r, "images", all)
}

// Monthly prices in euros without VAT: a GB of volume or snapshot, an address.
const (
	floatingIPv4  = 3.00
	floatingIPv6  = 1.00
	volumePerGB   = 0.0440
	primaryIPv4   = 0.50
	snapshotPerGB = 0.0110
)

func (c *Cloud) getPricing(*http.Request) (reply, error) {
	p := schema.Pricing{
		Currency: "EUR", VATRate: "19.000000",
		Image:             schema.PricingImage{PricePerGBMonth: price(snapshotPerGB)},
		FloatingIP:        schema.PricingFloatingIP{PriceMonthly: price(floatingIPv4)},
		ServerBackup:      schema.PricingServerBackup{Percentage: "20.00"},
		LoadBalancerTypes: []schema.PricingLoadBalancerType{},
		Volume:            schema.PricingVolume{PricePerGBPerMonth: price(volumePerGB)},
	}
	for _, m := range models {
		p.ServerTypes = append(p.ServerTypes, schema.PricingServerType{ID: m.id, Name: m.name, Prices: m.prices()})
	}
	for _, k := range []struct {
		kind              string
		primary, floating float64
	}{{"ipv4", primaryIPv4, floatingIPv4}, {"ipv6", 0, floatingIPv6}} {
		ip, float := schema.PricingPrimaryIP{Type: k.kind}, schema.PricingFloatingIPType{Type: k.kind}
		for _, l := range locations {
			ip.Prices = append(ip.Prices, schema.PricingPrimaryIPTypePrice{
				Location: l.Name, PriceHourly: price(k.primary / hoursPerMonth), PriceMonthly: price(k.primary),
			})
			float.Prices = append(float.Prices, schema.PricingFloatingIPTypePrice{Location: l.Name, PriceMonthly: price(k.floating)})
		}
		p.PrimaryIPs, p.FloatingIPs = append(p.PrimaryIPs, ip), append(p.FloatingIPs, float)
	}
	return ok(schema.PricingGetResponse{Pricing: p})
}
