package roles

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
	"github.com/construct-server/infra/stacks"
)

// messageToken is part of every child's URN; a renamed one needs an alias.
const messageToken = "construct:roles:Message"

// MessageArgs are required in full, save Protect.
type MessageArgs struct {
	Fleet    *Fleet
	Size     cloud.Size
	VolumeGB int
	Gateway  *Gateway // the way to the servers
	Protect  bool     // refuse deletion of the volume
}

// Message runs messaging, the delivery worker, the broker and the Redis
// replica.
type Message struct {
	pulumi.ResourceState
	members
}

var _ Member = (*Message)(nil)

// NewMessage creates the server and its volume.
func NewMessage(ctx *pulumi.Context, name string, args *MessageArgs, opts ...pulumi.ResourceOption) (*Message, error) {
	m := &Message{}
	if err := m.register(ctx, messageToken, name, stacks.Message, m, opts); err != nil {
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
