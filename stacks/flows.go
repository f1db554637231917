package stacks

import (
	"cmp"
	"slices"
)

// Internet is the source of public flows.
const Internet Role = "internet"

// Flow is one connection that the services need between servers, or from the
// Internet. Within a server nothing is listed but what a container dials at its
// own host's address.
type Flow struct {
	From, To Role
	Protocol string // tcp or udp
	Port     int
	Service  string // the listener
	Why      string
	HostOnly bool // the host's own: its containers have no part in it
	NoGap    bool // the listener is public, or replaced without a gap
}

// Flows lists every connection between servers, sorted, each once.
func Flows(f Features) []Flow {
	var flows []Flow
	all, err := Catalogue(LineS, f)
	if err != nil {
		return nil // unreachable: the line is a constant
	}
	for _, s := range all {
		for _, p := range s.Public {
			flows = append(flows, Flow{From: Internet, To: s.Role, Protocol: p.Protocol, Port: p.Number, Service: s.Name, Why: "public entrance"})
		}
		for _, name := range s.Needs {
			to, ok := find(all, name)
			if !ok || to.Role == s.Role {
				continue
			}
			flows = append(flows, private(s.Role, to.Role, to.Port, to.Name, cmp.Or(s.Program, s.Name)+" to "+to.Name))
		}
	}
	if f.Media {
		flows = append(flows, monitoringFlows(all)...)
	}
	for i, f := range flows {
		listener, _ := find(all, f.Service)
		flows[i].NoGap = f.From == Internet || listener.Rolling && listener.Port == f.Port
	}
	slices.SortFunc(flows, func(a, b Flow) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Port, b.Port),
			cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Why, b.Why))
	})
	return mergeFlows(slices.Compact(flows))
}

// monitoringFlows are Prometheus' scrapes and the blackbox exporter's probes.
func monitoringFlows(all []ServiceSpec) []Flow {
	var flows []Flow
	for _, s := range all {
		if s.Role == Media && !s.HostNetwork {
			continue // beside Prometheus, on the stack's own network
		}
		port := cmp.Or(s.MetricPort, s.Port)
		if s.Metrics != "" {
			flows = append(flows, private(Media, s.Role, port, s.Name, "prometheus scrapes "+s.Name))
		}
		if s.HealthPath != "" && len(s.Private) > 0 {
			flows = append(flows, private(Media, s.Role, s.Port, s.Name, "blackbox-exporter probes "+s.Name))
		}
	}
	return append(flows, private(Media, Gateway, 443, "caddy", "blackbox-exporter probes the public URL"))
}

func private(from, to Role, port int, service, why string) Flow {
	return Flow{From: from, To: to, Protocol: "tcp", Port: port, Service: service, Why: why}
}

// mergeFlows joins the reasons of flows that are one rule.
func mergeFlows(sorted []Flow) []Flow {
	var out []Flow
	for _, f := range sorted {
		if n := len(out); n > 0 && out[n-1].From == f.From && out[n-1].To == f.To &&
			out[n-1].Port == f.Port && out[n-1].Protocol == f.Protocol && out[n-1].HostOnly == f.HostOnly {
			out[n-1].Why += ", " + f.Why
			continue
		}
		out = append(out, f)
	}
	return out
}
