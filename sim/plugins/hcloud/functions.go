package hcloud

import (
	"context"
	"fmt"
	"strings"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

func (c *cloud) functions() map[string]*provider.Function {
	const prefix = "hcloud:index/"
	one := provider.Schema{"id": {Type: provider.Int}, "name": {Type: provider.String}}
	return map[string]*provider.Function{
		prefix + "getImage:getImage": {
			Args: provider.Schema{
				"id": {Type: provider.Int}, "name": {Type: provider.String},
				"withArchitecture":  {Type: provider.String, OneOf: []string{"x86", "arm"}},
				"includeDeprecated": {Type: provider.Bool},
			},
			Call: c.getImage,
		},
		prefix + "getLocation:getLocation":     {Args: one, Call: c.getLocation},
		prefix + "getLocations:getLocations":   {Args: provider.Schema{}, Call: c.getLocations},
		prefix + "getServerType:getServerType": {Args: one, Call: c.getServerType},
		prefix + "getServers:getServers": {
			Args: provider.Schema{"withSelector": {Type: provider.String}, "withStatuses": {Type: provider.ListOf(provider.String)}},
			Call: c.getServers,
		},
		prefix + "getServerTypes:getServerTypes": {Args: provider.Schema{}, Call: c.getServerTypes},
	}
}

// wanted is the id or name that a lookup is for.
func wanted(args provider.Values) string { return first(args.String("id"), args.String("name")) }

func (c *cloud) getImage(ctx context.Context, args provider.Values) (provider.Output, error) {
	arch := hcloud.Architecture(first(args.String("withArchitecture"), string(hcloud.ArchitectureX86)))
	i, _, err := c.Image.GetForArchitecture(ctx, wanted(args), arch)
	if i, err = present(i, err); err != nil {
		return nil, fmt.Errorf("image %q: %w", wanted(args), err)
	}
	return provider.Output{
		"id": i.ID, "name": i.Name, "type": string(i.Type), "description": i.Description,
		"created": i.Created.String(), "osFlavor": i.OSFlavor, "osVersion": i.OSVersion,
		"rapidDeploy": i.RapidDeploy, "architecture": string(i.Architecture), "labels": i.Labels, "deprecated": "",
	}, nil
}

func location(l *hcloud.Location) map[string]any {
	return map[string]any{
		"id": l.ID, "name": l.Name, "description": l.Description, "city": l.City, "country": l.Country,
		"latitude": l.Latitude, "longitude": l.Longitude, "networkZone": string(l.NetworkZone),
	}
}

func (c *cloud) getLocation(ctx context.Context, args provider.Values) (provider.Output, error) {
	l, _, err := c.Location.Get(ctx, wanted(args))
	if l, err = present(l, err); err != nil {
		return nil, fmt.Errorf("location %q: %w", wanted(args), err)
	}
	return location(l), nil
}

// listed is the form of results that list: rows, and ids, names and
// descriptions apart.
func listed(kind string, rows []map[string]any) provider.Output {
	ids, names, descriptions := []string{}, []string{}, []string{}
	for _, r := range rows {
		ids = append(ids, fmt.Sprint(r["id"]))
		names = append(names, fmt.Sprint(r["name"]))
		descriptions = append(descriptions, fmt.Sprint(r["description"]))
	}
	return provider.Output{
		"id": strings.Join(ids, "-"), kind + "Ids": ids, "names": names, "descriptions": descriptions,
		kind + "s": rows,
	}
}

func (c *cloud) getLocations(ctx context.Context, _ provider.Values) (provider.Output, error) {
	all, err := c.Location.All(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([]map[string]any, 0, len(all))
	for _, l := range all {
		rows = append(rows, location(l))
	}
	return listed("location", rows), nil
}

func serverType(t *hcloud.ServerType) map[string]any {
	locations := make([]map[string]any, 0, len(t.Locations))
	for i := range t.Locations {
		l := &t.Locations[i]
		locations = append(locations, map[string]any{
			"id": l.Location.ID, "name": l.Location.Name, "available": l.Available, "recommended": l.Recommended,
			"isDeprecated": l.IsDeprecated(), "deprecationAnnounced": "", "unavailableAfter": "",
		})
	}
	return map[string]any{
		"id": t.ID, "name": t.Name, "description": t.Description, "category": t.Category, "cores": t.Cores,
		"memory": int(t.Memory), "disk": t.Disk, "storageType": string(t.StorageType), "cpuType": string(t.CPUType),
		"architecture": string(t.Architecture), "includedTraffic": 0, "isDeprecated": t.IsDeprecated(),
		"deprecationAnnounced": "", "unavailableAfter": "", "locations": locations,
	}
}

func (c *cloud) getServerType(ctx context.Context, args provider.Values) (provider.Output, error) {
	t, _, err := c.ServerType.Get(ctx, wanted(args))
	if t, err = present(t, err); err != nil {
		return nil, fmt.Errorf("server type %q: %w", wanted(args), err)
	}
	return serverType(t), nil
}

func (c *cloud) getServerTypes(ctx context.Context, _ provider.Values) (provider.Output, error) {
	all, err := c.ServerType.All(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([]map[string]any, 0, len(all))
	for _, t := range all {
		rows = append(rows, serverType(t))
	}
	return listed("serverType", rows), nil
}

func (c *cloud) getServers(ctx context.Context, args provider.Values) (provider.Output, error) {
	opts := hcloud.ServerListOpts{ListOpts: hcloud.ListOpts{LabelSelector: args.String("withSelector")}}
	for _, status := range args.Strings("withStatuses") {
		opts.Status = append(opts.Status, hcloud.ServerStatus(status))
	}
	all, err := c.Server.AllWithOpts(ctx, opts)
	if err != nil {
		return nil, err
	}
	rows := make([]map[string]any, 0, len(all))
	for _, s := range all {
		row := described(s, provider.Values{})
		row["id"], row["iso"], row["rescue"], row["networks"] = s.ID, "", "", []any{}
		rows = append(rows, row)
	}
	return provider.Output{
		"id": args.String("withSelector"), "servers": rows, "withSelector": args.Get("withSelector"), "withStatuses": args.Get("withStatuses"),
	}, nil
}
