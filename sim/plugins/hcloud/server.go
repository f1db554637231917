package hcloud

import (
	"context"
	"crypto/sha1" //nolint:gosec // the official provider's fingerprint of user data, no protection
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

func (c *cloud) server() *provider.Resource {
	hashed := func(state, input any) bool {
		s, _ := input.(string)
		return state == userDataHash(s)
	}
	return &provider.Resource{
		Inputs: provider.Schema{
			"name":                    {Type: provider.String, Required: true, AutoName: 255},
			"serverType":              {Type: provider.String, Required: true},
			"image":                   {Type: provider.String, Computed: true, ForceNew: true},
			"location":                {Type: provider.String, Computed: true, ForceNew: true},
			"userData":                {Type: provider.String, ForceNew: true, Same: hashed},
			"sshKeys":                 {Type: provider.ListOf(provider.String), ForceNew: true},
			"keepDisk":                {Type: provider.Bool, Default: false},
			"backups":                 {Type: provider.Bool, Default: false},
			"labels":                  labels(),
			"ignoreRemoteFirewallIds": {Type: provider.Bool, Default: false},
			"firewallIds":             {Type: provider.ListOf(provider.Int), Computed: true, Set: true},
			"placementGroupId":        {Type: provider.Int},
			"deleteProtection":        protection(),
			"rebuildProtection":       protection(),
			"shutdownBeforeDeletion":  {Type: provider.Bool, Default: false},
			// The block is compared only where the program has one.
			"publicNets": {Computed: true, Set: true, Type: provider.ListOf(provider.Object(provider.Schema{
				"ipv4Enabled": {Type: provider.Bool, Default: true},
				"ipv6Enabled": {Type: provider.Bool, Default: true},
				"ipv4":        {Type: provider.Int},
				"ipv6":        {Type: provider.Int},
			}))},
		},
		Outputs: map[string]provider.Type{
			"backupWindow": provider.String, "ipv4Address": provider.String, "ipv6Address": provider.String,
			"ipv6Network": provider.String, "primaryDiskSize": provider.Int, "status": provider.String,
		},
		Create: c.createServer, Read: c.readServer, Update: c.updateServer, Delete: c.deleteServer,
	}
}

// userDataHash is what the state holds of user data.
func userDataHash(s string) string {
	sum := sha1.Sum([]byte(s)) //nolint:gosec // see import
	return base64.StdEncoding.EncodeToString(sum[:])
}

func (c *cloud) createServer(ctx context.Context, in provider.Values) (string, provider.Output, error) {
	opts, err := c.serverOpts(ctx, in)
	if err != nil {
		return "", nil, err
	}
	res, _, err := c.Server.Create(ctx, opts)
	if err != nil {
		return "", nil, fmt.Errorf("create server: %w", err)
	}
	id := text(res.Server.ID)
	if err := c.finish(ctx, append([]*hcloud.Action{res.Action}, res.NextActions...)...); err != nil {
		return id, nil, fmt.Errorf("wait for server: %w", err)
	}
	if in.Bool("backups") {
		if err := c.setBackups(ctx, res.Server, true); err != nil {
			return id, nil, err
		}
	}
	if in.Bool("deleteProtection") || in.Bool("rebuildProtection") {
		if err := c.protectServer(ctx, res.Server, in); err != nil {
			return id, nil, err
		}
	}
	out, err := c.readServer(ctx, id, in)
	if out != nil && in.Has("userData") {
		out["userData"] = userDataHash(in.String("userData"))
	}
	return id, out, err
}

// serverOpts looks up what the API wants by id.
func (c *cloud) serverOpts(ctx context.Context, in provider.Values) (hcloud.ServerCreateOpts, error) {
	opts := hcloud.ServerCreateOpts{
		Name: in.String("name"), ServerType: &hcloud.ServerType{Name: in.String("serverType")},
		UserData: in.String("userData"), Labels: in.StringMap("labels"),
	}
	kind, _, err := c.ServerType.Get(ctx, in.String("serverType"))
	if kind, err = present(kind, err); err != nil {
		return opts, fmt.Errorf("server type %q: %w", in.String("serverType"), err)
	}
	opts.Image, _, err = c.Image.GetForArchitecture(ctx, in.String("image"), kind.Architecture)
	if opts.Image, err = present(opts.Image, err); err != nil {
		return opts, fmt.Errorf("image %q for architecture %s: %w", in.String("image"), kind.Architecture, err)
	}
	if in.Has("location") {
		opts.Location = &hcloud.Location{Name: in.String("location")}
	}
	for _, name := range in.Strings("sshKeys") {
		k, _, err := c.SSHKey.Get(ctx, name)
		if k, err = present(k, err); err != nil {
			return opts, fmt.Errorf("SSH key %q: %w", name, err)
		}
		opts.SSHKeys = append(opts.SSHKeys, k)
	}
	for _, id := range in.Ints("firewallIds") {
		f := &hcloud.ServerCreateFirewall{Firewall: hcloud.Firewall{ID: int64(id)}}
		opts.Firewalls = append(opts.Firewalls, f)
	}
	if in.Has("placementGroupId") {
		g, _, err := c.PlacementGroup.GetByID(ctx, int64(in.Int("placementGroupId")))
		if opts.PlacementGroup, err = present(g, err); err != nil {
			return opts, fmt.Errorf("placement group %d: %w", in.Int("placementGroupId"), err)
		}
	}
	for _, p := range in.Objects("publicNets") {
		net := publicNet(p)
		opts.PublicNet = &net
		if !net.EnableIPv4 && !net.EnableIPv6 {
			opts.StartAfterCreate = hcloud.Ptr(false)
		}
	}
	return opts, nil
}

// publicNet reads a publicNets block: an address given is an address enabled.
func publicNet(p provider.Values) hcloud.ServerCreatePublicNet {
	net := hcloud.ServerCreatePublicNet{
		EnableIPv4: !p.Has("ipv4Enabled") || p.Bool("ipv4Enabled"),
		EnableIPv6: !p.Has("ipv6Enabled") || p.Bool("ipv6Enabled"),
	}
	if id := int64(p.Int("ipv4")); id != 0 {
		net.EnableIPv4, net.IPv4 = true, &hcloud.PrimaryIP{ID: id}
	}
	if id := int64(p.Int("ipv6")); id != 0 {
		net.EnableIPv6, net.IPv6 = true, &hcloud.PrimaryIP{ID: id}
	}
	return net
}

// readServer leaves userData, sshKeys and publicNets as they are: the API does
// not tell them.
func (c *cloud) readServer(ctx context.Context, id string, state provider.Values) (provider.Output, error) {
	n, err := number(id)
	if err != nil {
		return nil, err
	}
	s, _, err := c.Server.GetByID(ctx, n)
	if s, err = present(s, err); err != nil {
		return nil, err
	}
	return described(s, state), nil
}

// described is what the API tells of a server. An image that was given by its
// id is shown by it.
func described(s *hcloud.Server, state provider.Values) provider.Output {
	firewalls := []int64{}
	for _, f := range s.PublicNet.Firewalls {
		firewalls = append(firewalls, f.Firewall.ID)
	}
	slices.Sort(firewalls)
	out := provider.Output{
		"name": s.Name, "status": string(s.Status), "serverType": s.ServerType.Name, "labels": s.Labels,
		"backupWindow": s.BackupWindow, "backups": s.BackupWindow != "", "firewallIds": firewalls,
		"deleteProtection": s.Protection.Delete, "rebuildProtection": s.Protection.Rebuild,
		"primaryDiskSize": s.PrimaryDiskSize, "ipv4Address": "", "ipv6Address": "", "ipv6Network": "",
		"placementGroupId": nil,
	}
	if s.Location != nil {
		out["location"] = s.Location.Name
	}
	if !s.PublicNet.IPv4.IsUnspecified() {
		out["ipv4Address"] = s.PublicNet.IPv4.IP.String()
	}
	if len(s.PublicNet.IPv6.IP) > 0 && s.PublicNet.IPv6.Network != nil {
		out["ipv6Address"] = s.PublicNet.IPv6.IP.String() + "1"
		out["ipv6Network"] = s.PublicNet.IPv6.Network.String()
	}
	if s.Image != nil {
		out["image"] = s.Image.Name
		if given := state.String("image"); s.Image.Name == "" || given == strconv.FormatInt(s.Image.ID, 10) {
			out["image"] = strconv.FormatInt(s.Image.ID, 10)
		}
	}
	if s.PlacementGroup != nil {
		out["placementGroupId"] = s.PlacementGroup.ID
	}
	return out
}

// deleteServer shuts down first where asked to, for at most shutdownLimit.
func (c *cloud) deleteServer(ctx context.Context, id string, state provider.Values) error {
	n, err := number(id)
	if err != nil {
		return err
	}
	s := &hcloud.Server{ID: n}
	if state.Bool("shutdownBeforeDeletion") {
		a, _, err := c.Server.Shutdown(ctx, s)
		if err == nil {
			err = c.finish(ctx, a)
		}
		if err != nil {
			return fmt.Errorf("shut down server %d: %w", n, err)
		}
		off := func() (bool, error) {
			now, _, err := c.Server.GetByID(ctx, n)
			return now != nil && now.Status == hcloud.ServerStatusOff, err
		}
		if err := provider.Wait(ctx, c.pause, shutdownLimit, "server to be off", off); err != nil {
			provider.Warn(ctx, "server %d did not shut down in time and is deleted as it is", n)
		}
	}
	res, _, err := c.Server.DeleteWithResult(ctx, s)
	if err != nil {
		return gone(err)
	}
	return c.finish(ctx, res.Action)
}

const shutdownLimit = 31 * time.Second
