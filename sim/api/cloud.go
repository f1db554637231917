package api

import (
	"net/http"
	"time"
)

// Cloud is an emulated provider as the rest of the simulator sees it.
type Cloud interface {
	http.Handler
	// Name is "digitalocean" or "hetzner".
	Name() string
	// Route is the pattern that a request matches, as "GET /v2/droplets/{id}";
	// empty when the emulator lacks it.
	Route(r *http.Request) string
	// Resources lists what exists by kind, each list in order of creation.
	// Kinds without resources are absent, so an empty cloud gives an empty map.
	Resources() map[string][]Resource
	// Hosts lists the servers, in order of creation.
	Hosts() []Host
	// Records lists the DNS record sets of every zone.
	Records() []RecordSet
	// WriteStatus answers with the provider's own body for an HTTP status.
	// retryAfter, in seconds, becomes a Retry-After header when positive.
	WriteStatus(w http.ResponseWriter, status, retryAfter int)
	// WriteCapacity answers as the provider does when a region is full.
	WriteCapacity(w http.ResponseWriter)
}

// Resource is one resource of an emulated cloud.
type Resource struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Host is one server of an emulated cloud.
type Host struct {
	ID         string `json:"id"`   // the backend's host id, as "do-3"
	Name       string `json:"name"` // the server's name in the cloud
	Cloud      string `json:"cloud"`
	Status     string `json:"status"`
	PublicIPv4 string `json:"public_ipv4,omitempty"`
	// Private addresses, one per private network.
	Private []string `json:"private,omitempty"`
	// Stable lists reserved addresses assigned besides PublicIPv4.
	Stable []string `json:"stable,omitempty"`
}

// RecordSet is every value of one name and type in a zone.
type RecordSet struct {
	Zone   string // without the final dot
	Name   string // relative to the zone; "@" is the zone itself
	Type   string // "A", "AAAA", "CNAME", "TXT", …
	TTL    int    // seconds
	Values []string
}

// Speed sets how long the emulated clouds take. Zero values mean no wait.
type Speed struct {
	Boot   time.Duration // from a server's creation until it is "active"
	Action time.Duration // of every other asynchronous action
	Linger time.Duration // how long a deleted server stays a member of its network
}

// RealSpeed is an impatient version of the real clouds' times: enough to
// notice that creation is asynchronous, short enough to sit through.
func RealSpeed() Speed {
	return Speed{Boot: 2 * time.Second, Action: 300 * time.Millisecond, Linger: 2 * time.Second}
}
