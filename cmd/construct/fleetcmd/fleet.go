package fleetcmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// fleet is the stack's output of that name.
type fleet struct {
	User  string `json:"user"`
	Port  int    `json:"port"`
	Hosts []host `json:"hosts"`
}

// host is one server: how it is reached and recognised, and what should run.
type host struct {
	Name     string    `json:"name"` // "db-1"
	Role     string    `json:"role"`
	Server   string    `json:"server"` // the cloud's name: "construct-prod-db-1"
	Address  string    `json:"address"`
	Via      string    `json:"via"`     // the host that it is dialled through; empty: directly
	HostKey  string    `json:"hostKey"` // in authorized_keys format
	Release  string    `json:"release"`
	Firewall string    `json:"firewall"` // digest of the ruleset
	Services []service `json:"services"`
}

type service struct {
	Name     string `json:"name"`
	Image    string `json:"image"`
	Config   string `json:"config"` // digest
	Stateful bool   `json:"stateful"`
	Migrates bool   `json:"migrates"` // the database, when it starts
}

// parseFleet reads a stack's outputs.
func parseFleet(outputs []byte) (*fleet, error) {
	var all struct {
		Fleet *fleet `json:"fleet"`
	}
	if err := json.Unmarshal(outputs, &all); err != nil {
		return nil, fmt.Errorf("read the stack's outputs: %w", err)
	}
	f := all.Fleet
	if f == nil {
		return nil, errors.New("the stack has no output fleet: no `pulumi up` of this version has ended well yet")
	}
	for _, h := range f.Hosts {
		if h.Name == "" || h.Address == "" || h.HostKey == "" {
			return nil, fmt.Errorf("output fleet: host %q: name, address and hostKey are required", h.Name)
		}
		if h.Via != "" && !slices.ContainsFunc(f.Hosts, func(other host) bool { return other.Name == h.Via && other.Via == "" }) {
			return nil, fmt.Errorf("output fleet: host %q: via %q (want a host that is dialled directly)", h.Name, h.Via)
		}
	}
	if len(f.Hosts) == 0 || f.User == "" || f.Port == 0 {
		return nil, errors.New("output fleet: no hosts, user or port")
	}
	return f, nil
}

// find returns the host of a name, the cloud's name, or a role with one host.
func (f *fleet) find(name string) (host, error) {
	for _, h := range f.Hosts {
		if name == h.Name || name == h.Server {
			return h, nil
		}
	}
	if hosts := f.role(name); len(hosts) == 1 {
		return hosts[0], nil
	}
	return host{}, fmt.Errorf("%q is no host (want one of %s)", name, f.names(func(h host) string { return h.Name }))
}

func (f *fleet) role(name string) []host {
	return f.where(func(h host) bool { return h.Role == name })
}

// running are the hosts that should run a service.
func (f *fleet) running(name string) []host {
	return f.where(func(h host) bool {
		return slices.ContainsFunc(h.Services, func(s service) bool { return s.Name == name })
	})
}

func (f *fleet) where(holds func(host) bool) []host {
	var found []host
	for _, h := range f.Hosts {
		if holds(h) {
			found = append(found, h)
		}
	}
	return found
}

// names lists something of every host, each once.
func (f *fleet) names(of func(host) string) string {
	var all []string
	for _, h := range f.Hosts {
		if name := of(h); !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return strings.Join(all, ", ")
}
