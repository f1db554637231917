package hetzner

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/hetznercloud/hcloud-go/v2/hcloud/schema"
)

var locations = []schema.Location{
	{ID: 1, Name: "fsn1", Description: "Falkenstein DC Park 1", Country: "DE", City: "Falkenstein", Latitude: 50.47612, Longitude: 12.370071, NetworkZone: "eu-central"},
	{ID: 2, Name: "nbg1", Description: "Nuremberg DC Park 1", Country: "DE", City: "Nuremberg", Latitude: 49.452102, Longitude: 11.076665, NetworkZone: "eu-central"},
	{ID: 3, Name: "hel1", Description: "Helsinki DC Park 1", Country: "FI", City: "Helsinki", Latitude: 60.169855, Longitude: 24.938379, NetworkZone: "eu-central"},
	{ID: 4, Name: "ash", Description: "Ashburn, VA", Country: "US", City: "Ashburn, VA", Latitude: 39.045821, Longitude: -77.487073, NetworkZone: "us-east"},
	{ID: 5, Name: "hil", Description: "Hillsboro, OR", Country: "US", City: "Hillsboro, OR", Latitude: 45.54222, Longitude: -122.951924, NetworkZone: "us-west"},
	{ID: 6, Name: "sin", Description: "Singapore", Country: "SG", City: "Singapore", Latitude: 1.283333, Longitude: 103.833333, NetworkZone: "ap-southeast"},
}

// datacenterOf is the one datacenter of a location, by location.
var datacenterOf = map[string]string{
	"fsn1": "fsn1-dc14", "nbg1": "nbg1-dc3", "hel1": "hel1-dc2", "ash": "ash-dc1", "hil": "hil-dc1", "sin": "sin-dc1",
}

var (
	europe   = []string{"fsn1", "nbg1", "hel1"}
	anywhere = []string{"fsn1", "nbg1", "hel1", "ash", "hil", "sin"}
)

// model is one server type: memory and disk in GB, euros a month without VAT
// (the order of the list prices of early 2026, not a quotation).
type model struct {
	id           int64
	name         string
	cores        int
	memory       float32
	disk         int
	cpu, arch    string
	category     string
	monthly      float64
	where        []string
	retired      bool // listed, and no longer to be had
	retiredWhere []string
}

var models = []model{
	{22, "cpx11", 2, 2, 40, "shared", "x86", "regular_purpose", 4.49, anywhere, false, europe},
	{23, "cpx21", 3, 4, 80, "shared", "x86", "regular_purpose", 7.99, anywhere, false, europe},
	{24, "cpx31", 4, 8, 160, "shared", "x86", "regular_purpose", 14.99, anywhere, false, europe},
	{25, "cpx41", 8, 16, 240, "shared", "x86", "regular_purpose", 27.49, anywhere, false, europe},
	{26, "cpx51", 16, 32, 360, "shared", "x86", "regular_purpose", 60.49, anywhere, false, europe},
	{45, "cax11", 2, 4, 40, "shared", "arm", "cost_optimized", 3.79, europe, false, nil},
	{93, "cax21", 4, 8, 80, "shared", "arm", "cost_optimized", 6.49, europe, false, nil},
	{94, "cax31", 8, 16, 160, "shared", "arm", "cost_optimized", 12.49, europe, false, nil},
	{95, "cax41", 16, 32, 320, "shared", "arm", "cost_optimized", 24.49, europe, false, nil},
	{96, "ccx13", 2, 8, 80, "dedicated", "x86", "general_purpose", 12.49, anywhere, false, nil},
	{97, "ccx23", 4, 16, 160, "dedicated", "x86", "general_purpose", 24.49, anywhere, false, nil},
	{98, "ccx33", 8, 32, 240, "dedicated", "x86", "general_purpose", 48.49, anywhere, false, nil},
	{99, "ccx43", 16, 64, 360, "dedicated", "x86", "general_purpose", 96.49, anywhere, false, nil},
	{104, "cx22", 2, 4, 40, "shared", "x86", "cost_optimized", 3.79, europe, true, europe},
	{105, "cx32", 4, 8, 80, "shared", "x86", "cost_optimized", 6.80, europe, true, europe},
	{106, "cx42", 8, 16, 160, "shared", "x86", "cost_optimized", 16.40, europe, true, europe},
	{107, "cx52", 16, 32, 320, "shared", "x86", "cost_optimized", 32.40, europe, true, europe},
	{108, "cpx12", 1, 2, 40, "shared", "x86", "regular_purpose", 6.49, []string{"sin"}, false, nil},
	{109, "cpx22", 2, 4, 80, "shared", "x86", "regular_purpose", 6.49, []string{"fsn1", "nbg1", "hel1", "sin"}, false, nil},
	{110, "cpx32", 4, 8, 160, "shared", "x86", "regular_purpose", 10.99, []string{"fsn1", "nbg1", "hel1", "sin"}, false, nil},
	{111, "cpx42", 8, 16, 320, "shared", "x86", "regular_purpose", 19.99, []string{"fsn1", "nbg1", "hel1", "sin"}, false, nil},
	{112, "cpx52", 12, 24, 480, "shared", "x86", "regular_purpose", 28.49, []string{"fsn1", "nbg1", "hel1", "sin"}, false, nil},
	{113, "cpx62", 16, 32, 640, "shared", "x86", "regular_purpose", 38.99, []string{"fsn1", "nbg1", "hel1", "sin"}, false, nil},
	{114, "cx23", 2, 4, 40, "shared", "x86", "cost_optimized", 3.49, europe, false, nil},
	{115, "cx33", 4, 8, 80, "shared", "x86", "cost_optimized", 5.49, europe, false, nil},
	{116, "cx43", 8, 16, 160, "shared", "x86", "cost_optimized", 9.49, europe, false, nil},
	{117, "cx53", 16, 32, 320, "shared", "x86", "cost_optimized", 17.49, europe, false, nil},
}

// retirement is when the retired types were announced and went.
var retirement = schema.DeprecatableResource{Deprecation: &schema.DeprecationInfo{
	Announced:        time.Date(2025, 10, 16, 6, 0, 0, 0, time.UTC),
	UnavailableAfter: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
}}

// available says whether a type can be had in a location.
func (m model) available(location string) bool {
	return slices.Contains(m.where, location) && !slices.Contains(m.retiredWhere, location)
}

const (
	vat           = 1.19
	hoursPerMonth = 624 // Hetzner caps a month's price at so many hours
)

func price(net float64) schema.Price {
	return schema.Price{Net: fmt.Sprintf("%.10f", net), Gross: fmt.Sprintf("%.16f", net*vat)}
}

func (m model) prices() []schema.PricingServerTypePrice {
	out := []schema.PricingServerTypePrice{}
	for _, l := range m.where {
		out = append(out, schema.PricingServerTypePrice{
			Location: l, PriceHourly: price(m.monthly / hoursPerMonth), PriceMonthly: price(m.monthly),
			IncludedTraffic: 20 << 40, PricePerTBTraffic: price(1),
		})
	}
	return out
}

func (m model) view() schema.ServerType {
	out := schema.ServerType{
		ID: m.id, Name: m.name, Description: m.name, Category: m.category, Cores: m.cores, Memory: m.memory,
		Disk: m.disk, StorageType: "local", CPUType: m.cpu, Architecture: m.arch,
		Prices: m.prices(), Locations: []schema.ServerTypeLocation{},
	}
	if m.retired {
		out.Deprecated, out.DeprecatableResource = true, retirement
	}
	for _, l := range m.where {
		loc := location(l)
		e := schema.ServerTypeLocation{ID: loc.ID, Name: l, Available: m.available(l), Recommended: m.available(l)}
		if slices.Contains(m.retiredWhere, l) {
			e.DeprecatableResource = retirement
		}
		out.Locations = append(out.Locations, e)
	}
	return out
}

// modelOf finds a server type by name or number.
func modelOf(ref string) (model, bool) {
	i := slices.IndexFunc(models, func(m model) bool { return m.name == ref || strconv.FormatInt(m.id, 10) == ref })
	if i < 0 {
		return model{}, false
	}
	return models[i], true
}

// location finds a location by name or number, nil if there is none.
func location(ref string) *schema.Location {
	for _, l := range locations {
		if l.Name == ref || strconv.FormatInt(l.ID, 10) == ref {
			return &l
		}
	}
	return nil
}

func datacenter(l schema.Location) schema.Datacenter {
	out := schema.Datacenter{ID: l.ID + 1, Name: datacenterOf[l.Name], Description: l.City + " virtual DC", Location: l,
		ServerTypes: &schema.DatacenterServerTypes{Supported: []int64{}, Available: []int64{}, AvailableForMigration: []int64{}}}
	for _, m := range models {
		if slices.Contains(m.where, l.Name) {
			out.ServerTypes.Supported = append(out.ServerTypes.Supported, m.id)
		}
		if m.available(l.Name) {
			out.ServerTypes.Available = append(out.ServerTypes.Available, m.id)
			out.ServerTypes.AvailableForMigration = append(out.ServerTypes.AvailableForMigration, m.id)
		}
	}
	return out
}

// static answers a catalogue's list, filtered by name.
func static[T any](key string, list func() []T, name func(T) string) handler {
	return func(r *http.Request) (reply, error) {
		want := r.URL.Query().Get("name")
		var all []T
		for _, e := range list() {
			if want == "" || name(e) == want {
				all = append(all, e)
			}
		}
		return listReply(r, key, all)
	}
}

// listReply answers {key: page, meta: …}.
func listReply[T any](r *http.Request, key string, all []T) (reply, error) {
	page, m := paginate(r, all)
	return ok(map[string]any{key: page, "meta": m})
}

// one answers one entry of a catalogue as {key: entry}.
func one[T any](kind string, find func(id string) *T) handler {
	return func(r *http.Request) (reply, error) {
		e := find(r.PathValue("id"))
		if e == nil {
			return reply{}, notFound(kind, r.PathValue("id"))
		}
		return ok(map[string]*T{kind: e})
	}
}
