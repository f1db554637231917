package roles

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
	"github.com/construct-server/infra/deploy"
	"github.com/construct-server/infra/stacks"
)

// databaseToken is part of every child's URN; a renamed one needs an alias.
const databaseToken = "construct:roles:Database"

// DatabaseArgs are required in full, save Protect.
type DatabaseArgs struct {
	Fleet    *Fleet
	Size     cloud.Size
	VolumeGB int
	Gateway  *Gateway // the way to the servers
	Protect  bool     // refuse deletion and replacement of server and volume
}

// Database runs PostgreSQL and the Redis primary. It is the only role whose
// server is protected as well as its volume: what it holds is in no other place.
type Database struct {
	pulumi.ResourceState
	members
}

var _ Member = (*Database)(nil)

// NewDatabase creates the server and its volume.
func NewDatabase(ctx *pulumi.Context, name string, args *DatabaseArgs, opts ...pulumi.ResourceOption) (*Database, error) {
	d := &Database{}
	if err := d.register(ctx, databaseToken, name, stacks.DB, d, opts); err != nil {
		return nil, err
	}
	if err := d.addNode(ctx, NodeArgs{
		Fleet: args.Fleet, Size: args.Size, VolumeGB: args.VolumeGB, Gateway: args.Gateway.way(),
		ProtectServer: args.Protect, ProtectData: args.Protect,
	}); err != nil {
		return nil, err
	}
	return d, nil
}

// GuardSchema stands between the database's own release and those of the
// services that migrate it. They wait for its Ready, and it for them in its
// Record, both under the first server's name.
func (d *Database) GuardSchema(ctx *pulumi.Context, migrators []deploy.Migrator, release []pulumi.CustomResource) (*deploy.Schema, error) {
	primary := d.nodes[0]
	return deploy.NewSchema(ctx, primary.name, &deploy.SchemaArgs{
		Host: primary.host, Migrators: migrators, After: release,
	}, pulumi.Parent(primary))
}
