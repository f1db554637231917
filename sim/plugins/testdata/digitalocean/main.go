// A program with one resource of each kind that the stand-in models.
package main

import (
	"strconv"

	"github.com/pulumi/pulumi-digitalocean/sdk/v4/go/digitalocean"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		cfg := config.New(ctx, "")
		region := pulumi.String("fra1")
		if err := catalogue(ctx); err != nil {
			return err
		}
		// A region's first VPC is its default and cannot be deleted.
		first, err := digitalocean.NewVpc(ctx, "first", &digitalocean.VpcArgs{
			Name: pulumi.String("t-default"), Region: region,
		}, pulumi.RetainOnDelete(true))
		if err != nil {
			return err
		}
		vpc, err := digitalocean.NewVpc(ctx, "vpc", &digitalocean.VpcArgs{
			Name: pulumi.String("t-vpc"), Region: region, IpRange: pulumi.String("10.88.0.0/24"),
		}, pulumi.DependsOn([]pulumi.Resource{first}))
		if err != nil {
			return err
		}
		key, err := digitalocean.NewSshKey(ctx, "key", &digitalocean.SshKeyArgs{
			Name: pulumi.String("t-key"), PublicKey: pulumi.String(cfg.Require("publicKey")),
		})
		if err != nil {
			return err
		}
		tag, err := digitalocean.NewTag(ctx, "tag", &digitalocean.TagArgs{Name: pulumi.String("t-role")})
		if err != nil {
			return err
		}
		droplet, err := digitalocean.NewDroplet(ctx, "host", &digitalocean.DropletArgs{
			Name: pulumi.String("t-host-1"), Region: region, Image: pulumi.String("debian-12-x64"),
			Size: pulumi.String(cfg.Require("size")), SshKeys: pulumi.StringArray{key.ID().ToStringOutput()},
			VpcUuid: vpc.ID(), Tags: pulumi.StringArray{tag.Name}, Monitoring: pulumi.Bool(true),
			UserData: pulumi.ToSecret(pulumi.String(cfg.Require("userData"))).(pulumi.StringOutput),
		})
		if err != nil {
			return err
		}
		return around(ctx, cfg, region, tag, droplet)
	})
}

// around makes what goes with the droplet.
func around(ctx *pulumi.Context, cfg *config.Config, region pulumi.String, tag *digitalocean.Tag,
	droplet *digitalocean.Droplet,
) error {
	id := droplet.ID().ToStringOutput().ApplyT(strconv.Atoi).(pulumi.IntOutput)
	volume, err := digitalocean.NewVolume(ctx, "data", &digitalocean.VolumeArgs{
		Name: pulumi.String("t-data"), Region: region, Size: pulumi.Int(cfg.RequireInt("volume")),
	})
	if err != nil {
		return err
	}
	if _, err := digitalocean.NewVolumeAttachment(ctx, "data", &digitalocean.VolumeAttachmentArgs{
		DropletId: id, VolumeId: volume.ID(),
	}); err != nil {
		return err
	}
	if _, err := digitalocean.NewFirewall(ctx, "firewall", &digitalocean.FirewallArgs{
		Name: pulumi.String("t-firewall"), Tags: pulumi.StringArray{tag.Name},
		InboundRules: digitalocean.FirewallInboundRuleArray{
			&digitalocean.FirewallInboundRuleArgs{
				Protocol: pulumi.String("tcp"), PortRange: pulumi.String(cfg.Require("port")),
				SourceAddresses: pulumi.ToStringArray([]string{"203.0.113.0/24", "198.51.100.0/24"}),
			},
			&digitalocean.FirewallInboundRuleArgs{
				Protocol: pulumi.String("icmp"), SourceTags: pulumi.StringArray{tag.Name},
			},
		},
		OutboundRules: digitalocean.FirewallOutboundRuleArray{&digitalocean.FirewallOutboundRuleArgs{
			Protocol: pulumi.String("tcp"), PortRange: pulumi.String("all"),
			DestinationAddresses: pulumi.ToStringArray([]string{"0.0.0.0/0", "::/0"}),
		}},
	}); err != nil {
		return err
	}
	ip, err := digitalocean.NewReservedIp(ctx, "ip", &digitalocean.ReservedIpArgs{Region: region})
	if err != nil {
		return err
	}
	if _, err := digitalocean.NewReservedIpAssignment(ctx, "ip", &digitalocean.ReservedIpAssignmentArgs{
		IpAddress: ip.IpAddress, DropletId: id,
	}); err != nil {
		return err
	}
	domain, err := digitalocean.NewDomain(ctx, "domain", &digitalocean.DomainArgs{Name: pulumi.String("t.example.com")})
	if err != nil {
		return err
	}
	if _, err := digitalocean.NewDnsRecord(ctx, "record", &digitalocean.DnsRecordArgs{
		Domain: domain.Name, Name: pulumi.String("@"), Type: pulumi.String("A"), Value: ip.IpAddress, Ttl: pulumi.Int(300),
	}); err != nil {
		return err
	}
	_, err = digitalocean.NewProject(ctx, "project", &digitalocean.ProjectArgs{
		Name: pulumi.String("t-project"), Environment: pulumi.String("production"),
		Resources: pulumi.StringArray{volume.VolumeUrn, domain.DomainUrn},
	})
	ctx.Export("address", ip.IpAddress)
	ctx.Export("private", droplet.Ipv4AddressPrivate)
	return err
}

// catalogue asks what a program asks before it plans.
func catalogue(ctx *pulumi.Context) error {
	sizes, err := digitalocean.GetSizes(ctx, &digitalocean.GetSizesArgs{
		Filters: []digitalocean.GetSizesFilter{{Key: "regions", Values: []string{"fra1"}}},
	})
	if err != nil {
		return err
	}
	regions, err := digitalocean.GetRegions(ctx, &digitalocean.GetRegionsArgs{})
	if err != nil {
		return err
	}
	region, err := digitalocean.GetRegion(ctx, &digitalocean.GetRegionArgs{Slug: "fra1"})
	if err != nil {
		return err
	}
	ctx.Export("sizes", pulumi.Int(len(sizes.Sizes)))
	ctx.Export("regions", pulumi.Int(len(regions.Regions)))
	ctx.Export("region", pulumi.String(region.Name))
	return nil
}
