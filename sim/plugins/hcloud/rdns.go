package hcloud

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

// rdns models reverse names of servers and primary IPs; ids are
// s-<server>-<address> and p-<primary IP>-<address>.
func (c *cloud) rdns() *provider.Resource {
	return &provider.Resource{
		Inputs: provider.Schema{
			"serverId":    {Type: provider.Int, ForceNew: true},
			"primaryIpId": {Type: provider.Int, ForceNew: true},
			"ipAddress":   {Type: provider.String, Required: true, ForceNew: true},
			"dnsPtr":      {Type: provider.String, Required: true},
		},
		Create: func(ctx context.Context, in provider.Values) (string, provider.Output, error) {
			if in.Has("serverId") == in.Has("primaryIpId") {
				return "", nil, fmt.Errorf("reverse name %q: exactly one of serverId and primaryIpId must be set",
					in.String("dnsPtr"))
			}
			id := fmt.Sprintf("s-%d-%s", in.Int("serverId"), in.String("ipAddress"))
			if in.Has("primaryIpId") {
				id = fmt.Sprintf("p-%d-%s", in.Int("primaryIpId"), in.String("ipAddress"))
			}
			name := in.String("dnsPtr")
			if err := c.setPTR(ctx, id, &name); err != nil {
				return "", nil, err
			}
			return id, provider.Output{}, nil
		},
		Read: func(ctx context.Context, id string, _ provider.Values) (provider.Output, error) {
			owner, ip, err := c.ptrOwner(ctx, id)
			if err != nil {
				return nil, err
			}
			name, err := owner.GetDNSPtrForIP(ip)
			if err != nil {
				return nil, provider.ErrNotFound
			}
			return provider.Output{"dnsPtr": name}, nil
		},
		Update: func(ctx context.Context, id string, _, in provider.Values) (provider.Output, error) {
			name := in.String("dnsPtr")
			return provider.Output{}, c.setPTR(ctx, id, &name)
		},
		Delete: func(ctx context.Context, id string, _ provider.Values) error {
			return gone(c.setPTR(ctx, id, nil))
		},
	}
}

// ptrOwner fetches the server or primary IP that an id names.
func (c *cloud) ptrOwner(ctx context.Context, id string) (hcloud.RDNSSupporter, net.IP, error) {
	parts := strings.SplitN(id, "-", 3)
	if len(parts) != 3 {
		return nil, nil, fmt.Errorf("reverse name's id %q is not <kind>-<id>-<address>", id)
	}
	n, err := number(parts[1])
	if err != nil {
		return nil, nil, err
	}
	ip := net.ParseIP(parts[2])
	if parts[0] == "s" {
		s, _, err := c.Server.GetByID(ctx, n)
		s, err = present(s, err)
		return s, ip, err
	}
	p, _, err := c.PrimaryIP.GetByID(ctx, n)
	p, err = present(p, err)
	return p, ip, err
}

// setPTR sets a reverse name, or with nil puts the cloud's own back.
func (c *cloud) setPTR(ctx context.Context, id string, name *string) error {
	owner, ip, err := c.ptrOwner(ctx, id)
	if err != nil {
		return err
	}
	a, _, err := c.RDNS.ChangeDNSPtr(ctx, owner, ip, name)
	if err == nil {
		err = c.finish(ctx, a)
	}
	if err != nil {
		return fmt.Errorf("change reverse name of %s: %w", ip, err)
	}
	return nil
}
