package stacks

import (
	"net"
	"strconv"
)

// Scrape is one Prometheus target.
type Scrape struct {
	Service string
	Role    Role
	Target  string // host:port as Prometheus reaches it
	Path    string
}

// Probe is one HTTP health check from outside the service.
type Probe struct {
	Service string
	Role    Role
	URL     string
}

// Scrapes lists what Prometheus reads, sorted by role and service. Empty
// without media, since then nothing scrapes.
func Scrapes(f Features) []Scrape {
	var out []Scrape
	if !f.Media {
		return out
	}
	for _, role := range sortedRoles(f.Media) {
		for _, s := range Services(role, f) {
			if s.Metrics == "" {
				continue
			}
			port := s.MetricPort
			if port == 0 {
				port = s.Port
			}
			out = append(out, Scrape{Service: s.Name, Role: role, Target: fromMedia(s, port), Path: s.Metrics})
		}
	}
	return out
}

// Probes lists the health paths that the blackbox exporter requests. The
// gateway has none here: it is probed through the public URL.
func Probes(f Features) []Probe {
	var out []Probe
	if !f.Media {
		return out
	}
	for _, role := range sortedRoles(f.Media) {
		for _, s := range Services(role, f) {
			if s.HealthPath != "" && len(s.Private) > 0 {
				out = append(out, Probe{Service: s.Name, Role: role, URL: "http://" + fromMedia(s, s.Port) + s.HealthPath})
			}
		}
	}
	return out
}

// fromMedia is how a container on the media host reaches a port: beside it by
// the service's name, or HAProxy's in front of it, elsewhere by the host's.
func fromMedia(s ServiceSpec, port int) string {
	host := s.Role.Host()
	if s.Role == Media && !s.HostNetwork {
		host = s.Name
		if s.Rolling {
			host = haproxyName
		}
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

func sortedRoles(media bool) []Role {
	if media {
		return []Role{App, DB, Gateway, Media, Message}
	}
	return []Role{App, DB, Gateway, Message}
}
