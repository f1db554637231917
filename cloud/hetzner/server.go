package hetzner

import (
	"fmt"

	"github.com/pulumi/pulumi-hcloud/sdk/go/hcloud"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
)

// NewServer creates a server and joins it to the private network at a chosen
// address. Changes that would replace it for no gain are ignored.
func (p *Provider) NewServer(ctx *pulumi.Context, name string, args *cloud.ServerArgs, opts ...pulumi.ResourceOption) (*cloud.Server, error) {
	next, err := cloud.SayNext(ctx, name, args, "resource_unavailable")
	if err != nil {
		return nil, err
	}
	server, err := hcloud.NewServer(ctx, name, &hcloud.ServerArgs{
		Name:       pulumi.String(p.scope.Name(name)),
		Location:   pulumi.String(p.scope.Region),
		ServerType: pulumi.String(args.Slug),
		Image:      pulumi.String(image),
		SshKeys:    pulumi.StringArray{args.Key.ID},
		UserData:   args.UserData.ToStringOutput(),
		// Not shut down first, even if it keeps data: the provider fails to shut
		// down one that a killed run has deleted, and no destroy would get past it.
		Labels:           p.labels(args.Role),
		FirewallIds:      pulumi.IntArray{args.Firewall.ID},
		PlacementGroupId: args.Group.PlacementID,
		PublicNets:       hcloud.ServerPublicNetArray{publicNet(args.Address)},
		KeepDisk:         pulumi.Bool(true), // growing a disk is one-way, and data lives on volumes
	}, append(with(opts,
		pulumi.IgnoreChanges([]string{"image", "userData", "sshKeys"}),
		pulumi.DeleteBeforeReplace(true), // names, addresses and volumes are taken once
		pulumi.Protect(args.Protect),
	), next...)...)
	if err != nil {
		return nil, fmt.Errorf("create server %q: %w", name, err)
	}
	id := number(server.ID())
	private, err := hcloud.NewServerNetwork(ctx, name, &hcloud.ServerNetworkArgs{
		ServerId: id,
		SubnetId: args.Network.ID,
		Ip:       pulumi.String(args.PrivateIP.String()),
	}, with(opts, pulumi.DeleteBeforeReplace(true))...)
	if err != nil {
		return nil, fmt.Errorf("join server %q to the network: %w", name, err)
	}
	public := pulumi.All(server.Ipv4Address, private.Ip).ApplyT(func(v []any) string {
		return v[0].(string)
	}).(pulumi.StringOutput)
	return &cloud.Server{Resource: server, ID: id, PublicIP: public, PrivateIP: private.Ip}, nil
}

// publicNet asks for IPv4 and IPv6, at the reserved address if there is one.
func publicNet(address *cloud.Address) hcloud.ServerPublicNetArgs {
	net := hcloud.ServerPublicNetArgs{Ipv4Enabled: pulumi.Bool(true), Ipv6Enabled: pulumi.Bool(true)}
	if address != nil {
		net.Ipv4 = address.ID
	}
	return net
}

// NewVolume creates a volume.
func (p *Provider) NewVolume(ctx *pulumi.Context, name string, args *cloud.VolumeArgs, opts ...pulumi.ResourceOption) (*cloud.Volume, error) {
	volume, err := hcloud.NewVolume(ctx, name, &hcloud.VolumeArgs{
		Name:     pulumi.String(p.scope.Name(name)),
		Location: pulumi.String(p.scope.Region),
		Size:     pulumi.Int(args.SizeGB),
		Labels:   p.labels(args.Role),
	}, with(opts, pulumi.Protect(args.Protect))...)
	if err != nil {
		return nil, fmt.Errorf("create volume %q: %w", name, err)
	}
	return &cloud.Volume{Resource: volume, Name: p.scope.Name(name), ID: volume.ID()}, nil
}

// AttachVolume attaches a volume. The host mounts it, by id: Hetzner's
// automount is lost when a server is made again.
func (p *Provider) AttachVolume(ctx *pulumi.Context, name string, volume *cloud.Volume, server *cloud.Server, opts ...pulumi.ResourceOption) (*cloud.Attachment, error) {
	attachment, err := hcloud.NewVolumeAttachment(ctx, name, &hcloud.VolumeAttachmentArgs{
		ServerId:  server.ID,
		VolumeId:  number(volume.ID),
		Automount: pulumi.Bool(false),
	}, with(opts, pulumi.DeleteBeforeReplace(true), pulumi.DeletedWith(server.Resource))...)
	if err != nil {
		return nil, fmt.Errorf("attach volume %q: %w", name, err)
	}
	device := attachment.VolumeId.ApplyT(func(id int) string {
		return fmt.Sprintf("/dev/disk/by-id/scsi-0HC_Volume_%d", id)
	}).(pulumi.StringOutput)
	return &cloud.Attachment{Resource: attachment, Device: device}, nil
}
