package repaircmd

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

type hetzner struct{ client *hcloud.Client }

func newHetzner(token, endpoint string) *hetzner {
	options := []hcloud.ClientOption{hcloud.WithToken(token)}
	if endpoint != "" {
		options = append(options, hcloud.WithEndpoint(endpoint))
	}
	return &hetzner{hcloud.NewClient(options...)}
}

func (h *hetzner) find(ctx context.Context, s step) (*found, error) {
	// A name is unique in a project, and the labels say whose it is.
	name, labels := s.Inputs.text("name"), hcloud.ListOpts{LabelSelector: s.Inputs.labels()}
	switch s.kind() {
	case "Network":
		all, err := h.client.Network.AllWithOpts(ctx, hcloud.NetworkListOpts{Name: name, ListOpts: labels})
		return one(all, err, func(n *hcloud.Network) int64 { return n.ID })
	case "PlacementGroup":
		all, err := h.client.PlacementGroup.AllWithOpts(ctx, hcloud.PlacementGroupListOpts{Name: name, ListOpts: labels})
		return one(all, err, func(g *hcloud.PlacementGroup) int64 { return g.ID })
	case "SshKey":
		all, err := h.client.SSHKey.AllWithOpts(ctx, hcloud.SSHKeyListOpts{Name: name, ListOpts: labels})
		return one(all, err, func(k *hcloud.SSHKey) int64 { return k.ID })
	case "Firewall":
		all, err := h.client.Firewall.AllWithOpts(ctx, hcloud.FirewallListOpts{Name: name, ListOpts: labels})
		return one(all, err, func(f *hcloud.Firewall) int64 { return f.ID })
	case "PrimaryIp":
		all, err := h.client.PrimaryIP.AllWithOpts(ctx, hcloud.PrimaryIPListOpts{Name: name, ListOpts: labels})
		return one(all, err, func(ip *hcloud.PrimaryIP) int64 { return ip.ID })
	case "Volume":
		all, err := h.client.Volume.AllWithOpts(ctx, hcloud.VolumeListOpts{Name: name, ListOpts: labels})
		return one(all, err, func(v *hcloud.Volume) int64 { return v.ID })
	case "Server":
		return h.server(ctx, name, labels)
	case "NetworkSubnet":
		return h.subnet(ctx, s)
	case "VolumeAttachment":
		return h.attachment(ctx, s)
	case "Zone":
		return h.zone(ctx, s)
	case "ZoneRrset":
		return h.record(ctx, s)
	}
	return nil, nil //nolint:nilnil // a server joins a network that it is in already
}

func one[T any](all []*T, err error, id func(*T) int64) (*found, error) {
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &found{id: strconv.FormatInt(id(all[0]), 10)}, nil
}

func (h *hetzner) server(ctx context.Context, name string, labels hcloud.ListOpts) (*found, error) {
	all, err := h.client.Server.AllWithOpts(ctx, hcloud.ServerListOpts{Name: name, ListOpts: labels})
	f, err := one(all, err, func(s *hcloud.Server) int64 { return s.ID })
	if f == nil || err != nil {
		return nil, err
	}
	if len(all[0].Volumes) > 0 {
		f.leave = holdsVolume
		return f, nil
	}
	f.loses, f.remove = noVolume, func(ctx context.Context) error {
		deleted, _, err := h.client.Server.DeleteWithResult(ctx, all[0])
		if err != nil {
			return err
		}
		return h.client.Action.WaitFor(ctx, deleted.Action)
	}
	return f, nil
}

func (h *hetzner) subnet(ctx context.Context, s step) (*found, error) {
	network, _, err := h.client.Network.GetByID(ctx, s.Inputs.number("networkId"))
	if network == nil || err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(network.Subnets, func(n hcloud.NetworkSubnet) bool { return n.IPRange.String() == s.Inputs.text("ipRange") }) {
		return nil, nil //nolint:nilnil // documented on cloud.find
	}
	return &found{id: fmt.Sprintf("%d-%s", network.ID, s.Inputs.text("ipRange"))}, nil
}

// attachment is undone: a volume that is attached already cannot be attached.
func (h *hetzner) attachment(ctx context.Context, s step) (*found, error) {
	volume, _, err := h.client.Volume.GetByID(ctx, s.Inputs.number("volumeId"))
	if err != nil || volume == nil || volume.Server == nil || volume.Server.ID != s.Inputs.number("serverId") {
		return nil, err
	}
	return &found{id: strconv.FormatInt(volume.ID, 10), loses: notMounted, remove: func(ctx context.Context) error {
		action, _, err := h.client.Volume.Detach(ctx, volume)
		if err != nil {
			return err
		}
		return h.client.Action.WaitFor(ctx, action)
	}}, nil
}

// zone is taken up only if a run was just creating it: a zone that was there
// before is somebody's, and would go with the deployment.
func (h *hetzner) zone(ctx context.Context, s step) (*found, error) {
	zone, _, err := h.client.Zone.GetByName(ctx, s.Inputs.text("name"))
	if zone == nil || err != nil {
		return nil, err
	}
	f := &found{id: strconv.FormatInt(zone.ID, 10)}
	if !s.pending {
		f.leave = foreignZone
	}
	return f, nil
}

// record is ours if it already says what ours would.
func (h *hetzner) record(ctx context.Context, s step) (*found, error) {
	zone, _, err := h.client.Zone.GetByName(ctx, s.Inputs.text("zone"))
	if zone == nil || err != nil {
		return nil, err
	}
	set, _, err := h.client.Zone.GetRRSetByNameAndType(ctx, zone, s.Inputs.text("name"), hcloud.ZoneRRSetType(s.Inputs.text("type")))
	if set == nil || err != nil || len(set.Records) != 1 || set.Records[0].Value != s.Inputs.record() {
		return nil, err
	}
	return &found{id: set.ID, loses: ourRecord, remove: func(ctx context.Context) error {
		deleted, _, err := h.client.Zone.DeleteRRSet(ctx, set)
		if err != nil {
			return err
		}
		return h.client.Action.WaitFor(ctx, deleted.Action)
	}}, nil
}

func (h *hetzner) stopped(ctx context.Context, id string) (func(context.Context) error, error) {
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("read the id: %w", err)
	}
	server, _, err := h.client.Server.GetByID(ctx, number)
	if err != nil || server == nil || server.Status != hcloud.ServerStatusOff {
		return nil, err
	}
	return func(ctx context.Context) error {
		action, _, err := h.client.Server.Poweron(ctx, server)
		if err != nil {
			return err
		}
		return h.client.Action.WaitFor(ctx, action)
	}, nil
}

// twins cannot be: a name is unique.
func (*hetzner) twins(context.Context, []server) ([]*found, error) { return nil, nil }
