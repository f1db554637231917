package cloud

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The sizes that every adapter maps to slugs of its own, so that switching
// clouds changes no size. They promise memory; cores and disk follow.
const (
	Small  = "small"  // at least 2 GB
	Medium = "medium" // at least 4 GB
	Large  = "large"  // at least 8 GB
)

// LeastMemoryMB is the memory that a named size promises on every cloud, in
// MB. It is 0 for anything else.
func LeastMemoryMB(size string) int {
	switch size {
	case Small:
		return 2048
	case Medium:
		return 4096
	case Large:
		return 8192
	}
	return 0
}

// SizeRequest is one configured size.
type SizeRequest struct {
	Path string // where it was configured: "construct:roles.app.size"
	Size string // a named size or the cloud's own slug
	// Fallbacks are taken in order for a server that is still to be made where
	// the cloud has run out of Size; FallbackPath is where they were configured.
	Fallbacks    []string
	FallbackPath string
	Server       string // the server's name in the cloud
}

// Size is one kind of server.
type Size struct {
	Slug         string
	VCPUs        int
	MemoryMB     int
	DiskGB       int
	PriceMonthly float64 // 0: the cloud does not tell
	Currency     string  // ISO 4217; empty without a price
	// Next is the slug to configure if the cloud refuses this one although its
	// catalogue has it; empty: no fallback is left.
	Next string
}

// Catalogue is what Preflight found.
type Catalogue struct {
	Sizes    map[string]Size // by SizeRequest.Path
	Zone     string          // the region's network zone, where the cloud has such
	Warnings []string        // what an operator should know, sorted
}

// Offer is a size as a cloud's catalogue lists it.
type Offer struct {
	Size
	Regions []string // where it is sold
	// SoldOut lists regions that have it but cannot deliver it now. Servers
	// that exist are not affected, so it is a warning and not an error.
	SoldOut []string
	// Retires says when a region stops selling it, as the cloud words it.
	Retires map[string]string
}

// Market is one cloud's catalogue, as plain data.
type Market struct {
	Cloud   string // for messages: "DigitalOcean"
	Region  string // the one configured
	Regions []string
	Offers  []Offer
	// Named maps a named size to slugs, best first. Only a region decides
	// between them, never stock: that would resize running servers.
	Named map[string][]string
	// Have is what exists: slugs by server name. It is where the choice among
	// fallbacks is remembered, and is empty if none is configured.
	Have map[string]string
}

// Resolve finds every requested size in the region. All problems are reported
// together.
func (m Market) Resolve(want []SizeRequest) (Catalogue, error) {
	if !slices.Contains(m.Regions, m.Region) {
		return Catalogue{}, fmt.Errorf("construct:region: %s has no region %q (want one of %s)",
			m.Cloud, m.Region, list(m.Regions))
	}
	found := Catalogue{Sizes: map[string]Size{}}
	var problems []error
	for _, w := range want {
		offers, missing := m.candidates(w)
		if len(missing) > 0 {
			problems = append(problems, missing...)
			continue
		}
		offer, warnings := m.choose(w, offers)
		found.Sizes[w.Path] = offer.Size
		found.Warnings = append(found.Warnings, warnings...)
	}
	slices.Sort(found.Warnings)
	return found, errors.Join(problems...)
}

// candidates are the size asked for and its fallbacks, in order.
func (m Market) candidates(w SizeRequest) (offers []Offer, problems []error) {
	for i, size := range append([]string{w.Size}, w.Fallbacks...) {
		offer, ok := m.find(size)
		if !ok {
			path := w.Path
			if i > 0 {
				path = fmt.Sprintf("%s[%d]", w.FallbackPath, i-1)
			}
			problems = append(problems, fmt.Errorf("%s: %q is no x86 size that %s offers in %s (want small, medium, large or one of %s)",
				path, size, m.Cloud, m.Region, list(m.inRegion())))
			continue
		}
		offers = append(offers, offer)
	}
	return offers, problems
}

// choose takes the size that the server has, if it is one of the list: what is
// in stock today must not resize it. A server that is still to be made gets the
// first that can be had.
func (m Market) choose(w SizeRequest, offers []Offer) (Offer, []string) {
	i := slices.IndexFunc(offers, func(o Offer) bool { return o.Slug == m.Have[w.Server] })
	if i < 0 && m.Have[w.Server] == "" {
		i = slices.IndexFunc(offers, func(o Offer) bool { return !slices.Contains(o.SoldOut, m.Region) })
	}
	i = max(i, 0)
	offer := offers[i]
	if i+1 < len(offers) {
		offer.Next = offers[i+1].Slug
	}
	var warnings []string
	if i > 0 && m.Have[w.Server] == "" {
		warnings = append(warnings, fmt.Sprintf("%s: %s has no %s free in %s at the moment: %s is made as %s, the next in the list, and stays so",
			w.Path, m.Cloud, offers[0].Slug, m.Region, w.Server, offer.Slug))
	}
	if slices.Contains(offer.SoldOut, m.Region) && (len(w.Fallbacks) == 0 || m.Have[w.Server] == "") {
		warnings = append(warnings, fmt.Sprintf("%s: %s has no %s free in %s at the moment: creating a server may fail",
			w.Path, m.Cloud, offer.Slug, m.Region))
	}
	if end := offer.Retires[m.Region]; end != "" {
		warnings = append(warnings, fmt.Sprintf("%s: %s stops offering %s in %s after %s",
			w.Path, m.Cloud, offer.Slug, m.Region, end))
	}
	return offer, warnings
}

// Remembers tells whether any request needs to know what exists.
func Remembers(want []SizeRequest) bool {
	return slices.ContainsFunc(want, func(w SizeRequest) bool { return len(w.Fallbacks) > 0 })
}

// find returns the first offer that serves size in the region, and keeps what
// a named size promises.
func (m Market) find(size string) (Offer, bool) {
	slugs, named := m.Named[size]
	if !named {
		slugs = []string{size}
	}
	for _, slug := range slugs {
		for _, o := range m.Offers {
			if o.Slug == slug && slices.Contains(o.Regions, m.Region) && o.MemoryMB >= LeastMemoryMB(size) {
				return o, true
			}
		}
	}
	return Offer{}, false
}

// inRegion lists the region's slugs.
func (m Market) inRegion() []string {
	var slugs []string
	for _, o := range m.Offers {
		if slices.Contains(o.Regions, m.Region) {
			slugs = append(slugs, o.Slug)
		}
	}
	return slugs
}

// list shows the first names in order; a catalogue has a hundred.
func list(names []string) string {
	const most = 12
	names = slices.Sorted(slices.Values(names))
	if len(names) == 0 {
		return "none"
	}
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
