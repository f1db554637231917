// A program with one resource of each kind that the stand-in models.
package main

import (
	"strconv"

	"github.com/pulumi/pulumi-hcloud/sdk/go/hcloud"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func number(id pulumi.IDOutput) pulumi.IntOutput {
	return id.ToStringOutput().ApplyT(strconv.Atoi).(pulumi.IntOutput)
}

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		cfg := config.New(ctx, "")
		labels := pulumi.StringMap{"project": pulumi.String("t"), "role": pulumi.String("host")}
		if err := catalogue(ctx); err != nil {
			return err
		}
		network, err := hcloud.NewNetwork(ctx, "network", &hcloud.NetworkArgs{
			Name: pulumi.String("t-network"), IpRange: pulumi.String("10.89.0.0/16"), Labels: labels,
		})
		if err != nil {
			return err
		}
		subnet, err := hcloud.NewNetworkSubnet(ctx, "subnet", &hcloud.NetworkSubnetArgs{
			NetworkId: number(network.ID()), Type: pulumi.String("cloud"),
			NetworkZone: pulumi.String("eu-central"), IpRange: pulumi.String("10.89.1.0/24"),
		})
		if err != nil {
			return err
		}
		server, err := machine(ctx, cfg, labels)
		if err != nil {
			return err
		}
		if _, err := hcloud.NewServerNetwork(ctx, "host", &hcloud.ServerNetworkArgs{
			ServerId: number(server.ID()), NetworkId: number(network.ID()), Ip: pulumi.String("10.89.1.10"),
		}, pulumi.DependsOn([]pulumi.Resource{subnet})); err != nil {
			return err
		}
		volume, err := hcloud.NewVolume(ctx, "data", &hcloud.VolumeArgs{
			Name: pulumi.String("t-data"), Size: pulumi.Int(cfg.RequireInt("volume")),
			Location: pulumi.String("fsn1"), Labels: labels,
		})
		if err != nil {
			return err
		}
		_, err = hcloud.NewVolumeAttachment(ctx, "data", &hcloud.VolumeAttachmentArgs{
			VolumeId: number(volume.ID()), ServerId: number(server.ID()),
		})
		return err
	})
}

// machine makes the server and what it refers to.
func machine(ctx *pulumi.Context, cfg *config.Config, labels pulumi.StringMap) (*hcloud.Server, error) {
	key, err := hcloud.NewSshKey(ctx, "key", &hcloud.SshKeyArgs{
		Name: pulumi.String("t-key"), PublicKey: pulumi.String(cfg.Require("publicKey")), Labels: labels,
	})
	if err != nil {
		return nil, err
	}
	group, err := hcloud.NewPlacementGroup(ctx, "group", &hcloud.PlacementGroupArgs{
		Name: pulumi.String("t-group"), Type: pulumi.String("spread"), Labels: labels,
	})
	if err != nil {
		return nil, err
	}
	ip, err := hcloud.NewPrimaryIp(ctx, "ip", &hcloud.PrimaryIpArgs{
		Name: pulumi.String("t-ip"), Type: pulumi.String("ipv4"), Location: pulumi.String("fsn1"),
		AutoDelete: pulumi.Bool(false), Labels: labels,
	})
	if err != nil {
		return nil, err
	}
	firewall, err := hcloud.NewFirewall(ctx, "firewall", &hcloud.FirewallArgs{
		Name: pulumi.String("t-firewall"), Labels: labels,
		Rules: hcloud.FirewallRuleArray{
			&hcloud.FirewallRuleArgs{
				Direction: pulumi.String("in"), Protocol: pulumi.String("tcp"), Port: pulumi.String(cfg.Require("port")),
				SourceIps: pulumi.ToStringArray([]string{"203.0.113.0/24", "198.51.100.0/24"}),
			},
			&hcloud.FirewallRuleArgs{
				Direction: pulumi.String("in"), Protocol: pulumi.String("icmp"),
				SourceIps: pulumi.ToStringArray([]string{"0.0.0.0/0", "::/0"}),
			},
		},
	})
	if err != nil {
		return nil, err
	}
	zone, err := hcloud.NewZone(ctx, "zone", &hcloud.ZoneArgs{
		Name: pulumi.String("t.example.com"), Mode: pulumi.String("primary"), Labels: labels,
	})
	if err != nil {
		return nil, err
	}
	if _, err := hcloud.NewZoneRrset(ctx, "record", &hcloud.ZoneRrsetArgs{
		Zone: zone.Name, Name: pulumi.String("@"), Type: pulumi.String("A"),
		Records: hcloud.ZoneRrsetRecordArray{&hcloud.ZoneRrsetRecordArgs{Value: ip.IpAddress}},
	}); err != nil {
		return nil, err
	}
	return hcloud.NewServer(ctx, "host", &hcloud.ServerArgs{
		Name: pulumi.String("t-host-1"), ServerType: pulumi.String(cfg.Require("size")), Image: pulumi.String("debian-12"),
		Location: pulumi.String("fsn1"), SshKeys: pulumi.StringArray{key.ID().ToStringOutput()}, Labels: labels,
		UserData:         pulumi.ToSecret(pulumi.String(cfg.Require("userData"))).(pulumi.StringOutput),
		FirewallIds:      pulumi.IntArray{number(firewall.ID())},
		PlacementGroupId: number(group.ID()),
		PublicNets: hcloud.ServerPublicNetArray{&hcloud.ServerPublicNetArgs{
			Ipv4: number(ip.ID()), Ipv6Enabled: pulumi.Bool(false),
		}},
	})
}

// catalogue asks what a program asks before it plans.
func catalogue(ctx *pulumi.Context) error {
	types, err := hcloud.GetServerTypes(ctx)
	if err != nil {
		return err
	}
	locations, err := hcloud.GetLocations(ctx)
	if err != nil {
		return err
	}
	ctx.Export("types", pulumi.Int(len(types.ServerTypes)))
	ctx.Export("locations", pulumi.Int(len(locations.Locations)))
	return nil
}
