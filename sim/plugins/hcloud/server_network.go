package hcloud

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

func (c *cloud) serverNetwork() *provider.Resource {
	return &provider.Resource{
		Inputs: provider.Schema{
			"serverId":  {Type: provider.Int, Required: true, ForceNew: true},
			"networkId": {Type: provider.Int, Computed: true, ForceNew: true},
			"subnetId":  {Type: provider.String, ForceNew: true},
			"ip":        {Type: provider.String, Computed: true, ForceNew: true},
			"aliasIps":  {Type: provider.ListOf(provider.String), Computed: true, Set: true},
		},
		Outputs: map[string]provider.Type{"macAddress": provider.String},
		Create:  c.attachServer, Read: c.readServerNetwork,
		Update: func(ctx context.Context, id string, _, in provider.Values) (provider.Output, error) {
			server, network, err := pair(id)
			if err != nil {
				return nil, err
			}
			a, _, err := c.Server.ChangeAliasIPs(ctx, server, hcloud.ServerChangeAliasIPsOpts{
				Network: network, AliasIPs: addresses(in.Strings("aliasIps")),
			})
			if err == nil {
				err = c.finish(ctx, a)
			}
			if err != nil {
				return nil, fmt.Errorf("change alias addresses of server %d: %w", server.ID, err)
			}
			return c.readServerNetwork(ctx, id, in)
		},
		Delete: func(ctx context.Context, id string, _ provider.Values) error {
			server, network, err := pair(id)
			if err != nil {
				return err
			}
			busy := []hcloud.ErrorCode{hcloud.ErrorCodeConflict, hcloud.ErrorCodeLocked, hcloud.ErrorCodeServiceError}
			err = c.while(ctx, retryLimit, busy, func() (*hcloud.Action, error) {
				a, _, err := c.Server.DetachFromNetwork(ctx, server, hcloud.ServerDetachFromNetworkOpts{Network: network})
				return a, err
			})
			return gone(err)
		},
	}
}

func (c *cloud) attachServer(ctx context.Context, in provider.Values) (string, provider.Output, error) {
	server := &hcloud.Server{ID: int64(in.Int("serverId"))}
	opts := hcloud.ServerAttachToNetworkOpts{AliasIPs: addresses(in.Strings("aliasIps"))}
	switch {
	case in.Has("networkId") == in.Has("subnetId"):
		return "", nil, fmt.Errorf("attach server %d: exactly one of networkId and subnetId must be set", server.ID)
	case in.Has("networkId"):
		opts.Network = &hcloud.Network{ID: int64(in.Int("networkId"))}
	default:
		head, ipRange, _ := strings.Cut(in.String("subnetId"), "-")
		n, err := number(head)
		if err != nil {
			return "", nil, fmt.Errorf("subnetId %q: %w", in.String("subnetId"), err)
		}
		opts.Network = &hcloud.Network{ID: n}
		if _, opts.IPRange, err = net.ParseCIDR(ipRange); err != nil {
			return "", nil, fmt.Errorf("subnetId %q: %w", in.String("subnetId"), err)
		}
	}
	if in.Has("ip") {
		opts.IP = net.ParseIP(in.String("ip"))
	}
	busy := []hcloud.ErrorCode{
		hcloud.ErrorCodeConflict, hcloud.ErrorCodeLocked, hcloud.ErrorCodeServiceError,
		hcloud.ErrorCodeNoSubnetAvailable,
	}
	err := c.while(ctx, retryLimit, busy, func() (*hcloud.Action, error) {
		a, _, err := c.Server.AttachToNetwork(ctx, server, opts)
		return a, err
	})
	if err != nil && !hcloud.IsError(err, hcloud.ErrorCodeServerAlreadyAttached) {
		return "", nil, fmt.Errorf("attach server %d to network %d: %w", server.ID, opts.Network.ID, err)
	}
	id := fmt.Sprintf("%d-%d", server.ID, opts.Network.ID)
	out, err := c.readServerNetwork(ctx, id, in)
	if out == nil && err != nil {
		err = fmt.Errorf("%w: %w", errNoAttachment, err)
	}
	return id, out, err
}

// pair splits the id <server>-<network>.
func pair(id string) (*hcloud.Server, *hcloud.Network, error) {
	a, b, _ := strings.Cut(id, "-")
	server, err := number(a)
	if err != nil {
		return nil, nil, err
	}
	network, err := number(b)
	if err != nil {
		return nil, nil, err
	}
	return &hcloud.Server{ID: server}, &hcloud.Network{ID: network}, nil
}

func (c *cloud) readServerNetwork(ctx context.Context, id string, _ provider.Values) (provider.Output, error) {
	server, network, err := pair(id)
	if err != nil {
		return nil, err
	}
	s, _, err := c.Server.GetByID(ctx, server.ID)
	if s, err = present(s, err); err != nil {
		return nil, err
	}
	for _, p := range s.PrivateNet {
		if p.Network.ID != network.ID {
			continue
		}
		aliases := make([]string, 0, len(p.Aliases))
		for _, a := range p.Aliases {
			aliases = append(aliases, a.String())
		}
		return provider.Output{
			"serverId": s.ID, "networkId": network.ID, "ip": p.IP.String(), "aliasIps": aliases,
			"macAddress": p.MACAddress,
		}, nil
	}
	return nil, provider.ErrNotFound
}

func addresses(list []string) []net.IP {
	var out []net.IP
	for _, s := range list {
		out = append(out, net.ParseIP(s))
	}
	return out
}
