package roles

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
	"github.com/construct-server/infra/stacks"
)

// appToken is part of every child's URN; a renamed one needs an alias.
const appToken = "construct:roles:App"

// AppArgs are required in full.
type AppArgs struct {
	Fleet   *Fleet
	Size    cloud.Size
	Gateway *Gateway // the way to the servers
}

// App runs the services that keep no data: auth, user, notification.
type App struct {
	pulumi.ResourceState
	members
}

var _ Member = (*App)(nil)

// NewApp creates the server.
func NewApp(ctx *pulumi.Context, name string, args *AppArgs, opts ...pulumi.ResourceOption) (*App, error) {
	a := &App{}
	if err := a.register(ctx, appToken, name, stacks.App, a, opts); err != nil {
		return nil, err
	}
	if err := a.addNode(ctx, NodeArgs{Fleet: args.Fleet, Size: args.Size, Gateway: args.Gateway.way()}); err != nil {
		return nil, err
	}
	return a, nil
}
