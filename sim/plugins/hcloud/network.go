package hcloud

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

func (c *cloud) network() *provider.Resource {
	return &provider.Resource{
		Inputs: provider.Schema{
			"name":                  {Type: provider.String, Required: true, AutoName: 255},
			"ipRange":               {Type: provider.String, Required: true, ForceNew: true},
			"labels":                labels(),
			"deleteProtection":      protection(),
			"exposeRoutesToVswitch": {Type: provider.Bool, Default: false},
		},
		Create: c.createNetwork, Read: c.readNetwork,
		Update: func(ctx context.Context, id string, old, in provider.Values) (provider.Output, error) {
			n, err := number(id)
			if err != nil {
				return nil, err
			}
			network := &hcloud.Network{ID: n}
			_, _, err = c.Network.Update(ctx, network, hcloud.NetworkUpdateOpts{
				Name: in.String("name"), Labels: in.StringMap("labels"),
				ExposeRoutesToVSwitch: hcloud.Ptr(in.Bool("exposeRoutesToVswitch")),
			})
			if err != nil {
				return nil, fmt.Errorf("update network: %w", err)
			}
			if old.Bool("deleteProtection") != in.Bool("deleteProtection") {
				if err := c.protectNetwork(ctx, network, in.Bool("deleteProtection")); err != nil {
					return nil, err
				}
			}
			return c.readNetwork(ctx, id, in)
		},
		Delete: func(ctx context.Context, id string, _ provider.Values) error {
			n, err := number(id)
			if err != nil {
				return err
			}
			_, err = c.Network.Delete(ctx, &hcloud.Network{ID: n})
			return gone(err)
		},
	}
}

func (c *cloud) createNetwork(ctx context.Context, in provider.Values) (string, provider.Output, error) {
	_, ipRange, err := net.ParseCIDR(in.String("ipRange"))
	if err != nil {
		return "", nil, fmt.Errorf("ipRange: %w", err)
	}
	n, _, err := c.Network.Create(ctx, hcloud.NetworkCreateOpts{
		Name: in.String("name"), IPRange: ipRange, Labels: in.StringMap("labels"),
		ExposeRoutesToVSwitch: in.Bool("exposeRoutesToVswitch"),
	})
	if err != nil {
		return "", nil, fmt.Errorf("create network: %w", err)
	}
	id := text(n.ID)
	if in.Bool("deleteProtection") {
		if err := c.protectNetwork(ctx, n, true); err != nil {
			return id, nil, err
		}
	}
	out, err := c.readNetwork(ctx, id, in)
	return id, out, err
}

func (c *cloud) protectNetwork(ctx context.Context, n *hcloud.Network, protect bool) error {
	a, _, err := c.Network.ChangeProtection(ctx, n, hcloud.NetworkChangeProtectionOpts{Delete: &protect})
	if err != nil {
		return fmt.Errorf("protect network: %w", err)
	}
	return c.finish(ctx, a)
}

func (c *cloud) readNetwork(ctx context.Context, id string, _ provider.Values) (provider.Output, error) {
	num, err := number(id)
	if err != nil {
		return nil, err
	}
	n, _, err := c.Network.GetByID(ctx, num)
	if n, err = present(n, err); err != nil {
		return nil, err
	}
	return provider.Output{
		"name": n.Name, "ipRange": n.IPRange.String(), "labels": n.Labels,
		"deleteProtection": n.Protection.Delete, "exposeRoutesToVswitch": n.ExposeRoutesToVSwitch,
	}, nil
}

func (c *cloud) networkSubnet() *provider.Resource {
	return &provider.Resource{
		Inputs: provider.Schema{
			"networkId": {Type: provider.Int, Required: true, ForceNew: true},
			"type": {
				Type: provider.String, Required: true, ForceNew: true,
				OneOf: []string{"cloud", "server", "vswitch"},
			},
			"networkZone": {Type: provider.String, Required: true, ForceNew: true},
			"ipRange":     {Type: provider.String, Required: true, ForceNew: true},
			"vswitchId":   {Type: provider.Int, ForceNew: true},
		},
		Outputs: map[string]provider.Type{"gateway": provider.String},
		Create:  c.createSubnet,
		Read:    c.readSubnet,
		Delete:  c.deleteSubnet,
	}
}

func (c *cloud) createSubnet(ctx context.Context, in provider.Values) (string, provider.Output, error) {
	_, ipRange, err := net.ParseCIDR(in.String("ipRange"))
	if err != nil {
		return "", nil, fmt.Errorf("ipRange: %w", err)
	}
	network := &hcloud.Network{ID: int64(in.Int("networkId"))}
	opts := hcloud.NetworkAddSubnetOpts{Subnet: hcloud.NetworkSubnet{
		Type: hcloud.NetworkSubnetType(in.String("type")), IPRange: ipRange,
		NetworkZone: hcloud.NetworkZone(in.String("networkZone")), VSwitchID: int64(in.Int("vswitchId")),
	}}
	busy := []hcloud.ErrorCode{hcloud.ErrorCodeConflict, hcloud.ErrorCodeVSwitchAlreadyUsed}
	err = c.while(ctx, retryLimit, busy, func() (*hcloud.Action, error) {
		a, _, err := c.Network.AddSubnet(ctx, network, opts)
		return a, err
	})
	if err != nil {
		return "", nil, fmt.Errorf("add subnet: %w", err)
	}
	id := fmt.Sprintf("%d-%s", network.ID, ipRange)
	out, err := c.readSubnet(ctx, id, in)
	return id, out, err
}

// subnet finds a subnet by its id, which is made of the network's and the range.
func (c *cloud) subnet(ctx context.Context, id string) (*hcloud.Network, *hcloud.NetworkSubnet, error) {
	head, ipRange, ok := strings.Cut(id, "-")
	n, err := number(head)
	if err != nil || !ok {
		return nil, nil, fmt.Errorf("subnet id %q is not <network>-<range>", id)
	}
	network, _, err := c.Network.GetByID(ctx, n)
	if network, err = present(network, err); err != nil {
		return nil, nil, err
	}
	for i := range network.Subnets {
		if network.Subnets[i].IPRange.String() == ipRange {
			return network, &network.Subnets[i], nil
		}
	}
	return nil, nil, provider.ErrNotFound
}

func (c *cloud) readSubnet(ctx context.Context, id string, _ provider.Values) (provider.Output, error) {
	network, s, err := c.subnet(ctx, id)
	if err != nil {
		return nil, err
	}
	out := provider.Output{
		"networkId": network.ID, "networkZone": string(s.NetworkZone), "ipRange": s.IPRange.String(),
		"type": string(s.Type), "gateway": s.Gateway.String(),
	}
	if s.Type == hcloud.NetworkSubnetTypeVSwitch {
		out["vswitchId"] = s.VSwitchID
	}
	return out, nil
}
