package digitalocean

import (
	"fmt"

	"github.com/pulumi/pulumi-digitalocean/sdk/v4/go/digitalocean"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
)

// recordTTL is short, in seconds, so that a new address is soon known.
const recordTTL = 300

// NewDNS creates the domain, unless it exists already (a name exists once
// across all of DigitalOcean's accounts), and the A record.
func (p *Provider) NewDNS(ctx *pulumi.Context, name string, args *cloud.DNSArgs, opts ...pulumi.ResourceOption) (*cloud.DNS, error) {
	dns := &cloud.DNS{}
	var zone pulumi.StringInput = pulumi.String(args.Zone)
	if !args.Existing {
		domain, err := digitalocean.NewDomain(ctx, name, &digitalocean.DomainArgs{
			Name: pulumi.String(args.Zone),
		}, opts...)
		if err != nil {
			return nil, fmt.Errorf("create domain %q: %w", args.Zone, err)
		}
		zone, dns.URN = domain.Name, domain.DomainUrn
	}
	record, err := digitalocean.NewDnsRecord(ctx, name+"-a", &digitalocean.DnsRecordArgs{
		Domain: zone,
		Type:   pulumi.String("A"),
		Name:   pulumi.String(args.Record()),
		Value:  args.Address.IP,
		Ttl:    pulumi.Int(recordTTL),
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("create record %q: %w", args.Domain, err)
	}
	dns.Record = record
	return dns, nil
}
