package repaircmd

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/digitalocean/godo"
)

// reservedIP finds an address that nothing has. It carries no name, so it is
// ours only if a run was just reserving one and there is no other, or if the
// operator says so.
func (d *digitalOcean) reservedIP(ctx context.Context, s step) (*found, error) {
	var free []string
	_, err := first(ctx, d.client.ReservedIPs.List, func(ip godo.ReservedIP) bool {
		if ip.Droplet == nil && ip.Region != nil && ip.Region.Slug == s.Inputs.text("region") {
			free = append(free, ip.IP)
		}
		return false
	}, func(ip godo.ReservedIP) string { return ip.IP })
	switch {
	case err != nil:
		return nil, err
	case d.address != "" && !slices.Contains(free, d.address):
		return nil, fmt.Errorf("--address: %s is no reserved IP without a droplet in %s (want one of %s)", d.address, s.Inputs.text("region"), strings.Join(free, ", "))
	case d.address != "":
		return &found{id: d.address}, nil
	case s.pending && len(free) == 1:
		return &found{id: free[0]}, nil
	case s.pending && len(free) > 1:
		return &found{id: strings.Join(free, ", "), leave: "one of them may be ours (want --address IP, or none of them: pulumi up)"}, nil
	}
	return nil, nil //nolint:nilnil // documented on cloud.find
}

// domain is taken up only if a run was just creating it: a zone that was there
// before is somebody's, and would go with the deployment.
func (d *digitalOcean) domain(ctx context.Context, s step) (*found, error) {
	f, err := first(ctx, d.client.Domains.List, func(o godo.Domain) bool { return o.Name == s.Inputs.text("name") }, func(o godo.Domain) string { return o.Name })
	if f != nil && !s.pending {
		f.leave = foreignZone
	}
	return f, err
}

const foreignZone = "no run was seen to create it; keep it and set construct:dns.createZone to false, or delete it in the console"

// record is ours if it already says what ours would.
func (d *digitalOcean) record(ctx context.Context, s step) (*found, error) {
	domain, id := s.Inputs.text("domain"), 0
	list := func(ctx context.Context, o *godo.ListOptions) ([]godo.DomainRecord, *godo.Response, error) {
		return d.client.Domains.Records(ctx, domain, o)
	}
	f, err := first(ctx, list, func(r godo.DomainRecord) bool {
		id = r.ID
		return r.Type == s.Inputs.text("type") && r.Name == s.Inputs.text("name") && r.Data == s.Inputs.text("value")
	}, func(r godo.DomainRecord) string { return strconv.Itoa(r.ID) })
	var refused *godo.ErrorResponse
	if errors.As(err, &refused) && refused.Response.StatusCode == http.StatusNotFound {
		return nil, nil //nolint:nilnil // the zone is still to be made
	}
	if f == nil || err != nil {
		return nil, err
	}
	f.loses, f.remove = ourRecord, func(ctx context.Context) error {
		_, err := d.client.Domains.DeleteRecord(ctx, domain, id)
		return err
	}
	return f, nil
}

func (d *digitalOcean) twins(ctx context.Context, known []server) ([]*found, error) {
	ids, names := map[string]bool{}, map[string]server{}
	for _, s := range known {
		ids[s.ID] = true
	}
	var droplets []godo.Droplet
	_, err := first(ctx, d.client.Droplets.List, func(o godo.Droplet) bool {
		droplets = append(droplets, o)
		return false
	}, func(godo.Droplet) string { return "" })
	if err != nil {
		return nil, err
	}
	for _, o := range droplets {
		for _, s := range known {
			if s.ID == strconv.Itoa(o.ID) {
				names[o.Name] = s
			}
		}
	}
	var twins []*found
	for _, o := range droplets {
		twin, ours := names[o.Name]
		if !ours || ids[strconv.Itoa(o.ID)] {
			continue
		}
		f := &found{step: step{URN: twin.URN, Type: twin.Type, Inputs: inputs{"name": o.Name}}, id: strconv.Itoa(o.ID)}
		if d.disposed(f, o); f.leave == "" {
			f.loses = "it is a second one of that name, and holds no volume"
		}
		twins = append(twins, f)
	}
	return twins, nil
}
