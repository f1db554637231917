package hetzner

import (
	"fmt"

	"github.com/pulumi/pulumi-hcloud/sdk/go/hcloud"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
)

// recordTTL is short, in seconds, so that a new address is soon known.
const recordTTL = 300

// NewDNS creates the zone, unless it exists already, and the A record set.
func (p *Provider) NewDNS(ctx *pulumi.Context, name string, args *cloud.DNSArgs, opts ...pulumi.ResourceOption) (*cloud.DNS, error) {
	var zoneName pulumi.StringInput = pulumi.String(args.Zone)
	if !args.Existing {
		zone, err := hcloud.NewZone(ctx, name, &hcloud.ZoneArgs{
			Name:   pulumi.String(args.Zone),
			Mode:   pulumi.String("primary"),
			Labels: p.labels(""),
		}, opts...)
		if err != nil {
			return nil, fmt.Errorf("create zone %q: %w", args.Zone, err)
		}
		zoneName = zone.Name
	}
	record, err := hcloud.NewZoneRrset(ctx, name+"-a", &hcloud.ZoneRrsetArgs{
		Zone:    zoneName,
		Type:    pulumi.String("A"),
		Name:    pulumi.String(args.Record()),
		Ttl:     pulumi.Int(recordTTL),
		Labels:  p.labels(""),
		Records: hcloud.ZoneRrsetRecordArray{hcloud.ZoneRrsetRecordArgs{Value: args.Address.IP}},
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("create record %q: %w", args.Domain, err)
	}
	return &cloud.DNS{Record: record}, nil
}
