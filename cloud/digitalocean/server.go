package digitalocean

import (
	"fmt"

	"github.com/pulumi/pulumi-digitalocean/sdk/v4/go/digitalocean"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
)

// NewServer creates a droplet in the VPC. Changes that would replace it for no
// gain are ignored. It waits for its firewall, which is attached by tag and so
// holds from the first packet. Private addresses are assigned, not chosen.
func (p *Provider) NewServer(ctx *pulumi.Context, name string, args *cloud.ServerArgs, opts ...pulumi.ResourceOption) (*cloud.Server, error) {
	hooks, err := p.hooks(ctx, name, args)
	if err != nil {
		return nil, err
	}
	droplet, err := digitalocean.NewDroplet(ctx, name, &digitalocean.DropletArgs{
		Name:         pulumi.String(p.scope.Name(name)),
		Region:       pulumi.String(p.scope.Region),
		Size:         pulumi.String(args.Slug),
		Image:        pulumi.String(image),
		VpcUuid:      args.Network.ID,
		SshKeys:      pulumi.StringArray{args.Key.ID},
		UserData:     args.UserData.ToStringOutput(),
		Tags:         pulumi.StringArray{args.Group.Tags[""], args.Group.Tags[args.Role]},
		Ipv6:         pulumi.Bool(true),
		Monitoring:   pulumi.Bool(false),
		DropletAgent: pulumi.Bool(false),
		ResizeDisk:   pulumi.Bool(false), // growing a disk is one-way, and data lives on volumes
		// A droplet that was refreshed is deleted by detaching its volumes first,
		// under whatever runs on it. The provider waits for the delete's time out.
		GracefulShutdown: pulumi.Bool(args.KeepsData),
	}, append(with(opts,
		pulumi.Timeouts(&pulumi.CustomTimeouts{Delete: "10m"}),
		pulumi.IgnoreChanges([]string{"image", "userData", "sshKeys"}),
		pulumi.DeleteBeforeReplace(true), // volumes attach to one droplet only
		pulumi.Protect(args.Protect),
		pulumi.DependsOn([]pulumi.Resource{args.Firewall.Resource}),
	), hooks...)...)
	if err != nil {
		return nil, fmt.Errorf("create droplet %q: %w", name, err)
	}
	server := &cloud.Server{
		Resource:  droplet,
		ID:        number(droplet.ID()),
		PublicIP:  droplet.Ipv4Address,
		PrivateIP: droplet.Ipv4AddressPrivate,
		URN:       droplet.DropletUrn,
	}
	if args.Address == nil {
		return server, nil
	}
	assignment, err := digitalocean.NewReservedIpAssignment(ctx, name+"-address", &digitalocean.ReservedIpAssignmentArgs{
		DropletId: server.ID,
		IpAddress: args.Address.IP,
	}, with(opts, pulumi.DeleteBeforeReplace(true))...)
	if err != nil {
		return nil, fmt.Errorf("assign reserved IP to %q: %w", name, err)
	}
	server.PublicIP = assignment.IpAddress
	return server, nil
}

// hooks keep a droplet from being made twice, and say what to do without
// capacity. DigitalOcean takes any number of droplets of one name: one whose
// creation was not seen to end would be there, paid for and unknown, beside the
// next.
func (p *Provider) hooks(ctx *pulumi.Context, name string, args *cloud.ServerArgs) ([]pulumi.ResourceOption, error) {
	before, err := ctx.RegisterResourceHook(name+"-once", func(*pulumi.ResourceHookArgs) error {
		droplets, err := p.droplets(ctx)
		if err != nil {
			return err
		}
		for _, d := range droplets {
			if d.Name == p.scope.Name(name) {
				return fmt.Errorf("%s: droplet %d has this name already and is not in Pulumi's state (want it taken up or deleted: construct repair)", d.Name, d.Id)
			}
		}
		return nil
	}, nil)
	if err != nil {
		return nil, fmt.Errorf("register the look for droplet %q: %w", name, err)
	}
	once := pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeCreate: []*pulumi.ResourceHook{before}})
	next, err := cloud.SayNext(ctx, name, args, "not available in this region")
	return append(next, once), err
}

// NewVolume creates a block volume.
func (p *Provider) NewVolume(ctx *pulumi.Context, name string, args *cloud.VolumeArgs, opts ...pulumi.ResourceOption) (*cloud.Volume, error) {
	volumeName := p.scope.Name(name)
	volume, err := digitalocean.NewVolume(ctx, name, &digitalocean.VolumeArgs{
		Name:        pulumi.String(volumeName),
		Region:      pulumi.String(p.scope.Region),
		Size:        pulumi.Int(args.SizeGB),
		Description: pulumi.String("Data of " + volumeName),
		Tags:        pulumi.StringArray{args.Group.Tags[""]},
	}, with(opts, pulumi.Protect(args.Protect))...)
	if err != nil {
		return nil, fmt.Errorf("create volume %q: %w", name, err)
	}
	return &cloud.Volume{Resource: volume, Name: volumeName, ID: volume.ID(), URN: volume.VolumeUrn}, nil
}

// AttachVolume attaches a volume. It is not named at the droplet's creation, so
// that the droplet's life and the data's stay apart; attaching takes place
// while the droplet boots.
func (p *Provider) AttachVolume(ctx *pulumi.Context, name string, volume *cloud.Volume, server *cloud.Server, opts ...pulumi.ResourceOption) (*cloud.Attachment, error) {
	attachment, err := digitalocean.NewVolumeAttachment(ctx, name, &digitalocean.VolumeAttachmentArgs{
		DropletId: server.ID,
		VolumeId:  volume.ID,
	}, with(opts, pulumi.DeleteBeforeReplace(true), pulumi.DeletedWith(server.Resource))...)
	if err != nil {
		return nil, fmt.Errorf("attach volume %q: %w", name, err)
	}
	device := attachment.ID().ApplyT(func(pulumi.ID) string {
		return "/dev/disk/by-id/scsi-0DO_Volume_" + volume.Name
	}).(pulumi.StringOutput)
	return &cloud.Attachment{Resource: attachment, Device: device}, nil
}
