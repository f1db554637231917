package roles

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
	"github.com/construct-server/infra/stacks"
)

// mediaToken is part of every child's URN; a renamed one needs an alias.
const mediaToken = "construct:roles:Media"

// MediaArgs are required in full, save Protect.
type MediaArgs struct {
	Fleet    *Fleet
	Size     cloud.Size
	VolumeGB int
	Gateway  *Gateway // the way to the servers
	Protect  bool     // refuse deletion of the volume
}

// Media runs the media service and the monitoring of the whole fleet. It is
// optional.
type Media struct {
	pulumi.ResourceState
	members
}

var _ Member = (*Media)(nil)

// NewMedia creates the server and its volume.
func NewMedia(ctx *pulumi.Context, name string, args *MediaArgs, opts ...pulumi.ResourceOption) (*Media, error) {
	m := &Media{}
	if err := m.register(ctx, mediaToken, name, stacks.Media, m, opts); err != nil {
		return nil, err
	}
	if err := m.addNode(ctx, NodeArgs{
		Fleet: args.Fleet, Size: args.Size, VolumeGB: args.VolumeGB, Gateway: args.Gateway.way(),
		ProtectData: args.Protect,
	}); err != nil {
		return nil, err
	}
	return m, nil
}
