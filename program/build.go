package program

import (
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/deploy"
	"github.com/construct-server/infra/roles"
	"github.com/construct-server/infra/stacks"
)

// builder is a deployment while it is being built.
type builder struct {
	cfg       *config.Config
	scope     cloud.Scope
	cloud     cloud.Provider
	catalogue cloud.Catalogue
	features  stacks.Features
	bundles   map[stacks.Role]rendered
	outward   []stacks.Flow

	fleet    *roles.Fleet
	gateway  *roles.Gateway
	database *roles.Database
	members  map[stacks.Role]roles.Member
}

// Build registers the whole deployment and returns the stack's outputs.
// Whatever can be wrong with the configuration is found before the first
// resource is registered.
func Build(ctx *pulumi.Context, cfg *config.Config, scope cloud.Scope, provider cloud.Provider) (pulumi.Map, error) {
	b := &builder{cfg: cfg, scope: scope, cloud: provider, members: map[stacks.Role]roles.Member{}}
	for _, step := range []func(*pulumi.Context) error{b.plan, b.createFleet, b.createRoles, b.startRoles, b.createProject} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return b.outputs(), nil
}

// plan asks the cloud and renders. It registers nothing.
func (b *builder) plan(ctx *pulumi.Context) error {
	var err error
	b.catalogue, err = b.cloud.Preflight(ctx, sizes(b.cfg, b.scope))
	if err != nil {
		return err
	}
	for _, warning := range b.catalogue.Warnings {
		if err := ctx.Log.Warn(warning, nil); err != nil {
			return fmt.Errorf("log warning: %w", err)
		}
	}
	d, err := deployment(b.cfg, b.scope, b.catalogue)
	if err != nil {
		return err
	}
	if err := warnOfSilence(ctx, d); err != nil {
		return err
	}
	b.features = d.Features()
	if b.outward, err = stacks.Outward(d); err != nil {
		return err
	}
	b.bundles, err = bundles(d)
	return err
}

func (b *builder) createFleet(ctx *pulumi.Context) error {
	login := roles.Login{
		User: b.cfg.AdminUser, AuthorizedKeys: b.cfg.SSH.Keys(), Port: b.cfg.SSH.Port, Direct: b.cfg.SSH.Direct,
		HostKeySeed: b.cfg.Secrets.HostKeySeed, PreviousHostKeySeed: b.cfg.Secrets.PreviousHostKeySeed,
		AccountSeed: b.cfg.Secrets.Internal(),
	}
	if b.cfg.SSH.PrivateKey != "" {
		login.PrivateKey = secret(b.cfg.SSH.PrivateKey)
	}
	var err error
	b.fleet, err = roles.NewFleet(ctx, "fleet", &roles.FleetArgs{
		Cloud: b.cloud, Scope: b.scope, CIDR: b.cfg.Network.CIDR, Zone: b.catalogue.Zone,
		Features: b.features, Login: login, Operators: b.cfg.SSH.AllowedCIDRs,
		Outward: b.outward, Reboots: (*roles.Window)(b.cfg.RebootWindow),
	})
	return err
}

// createRoles creates the machines. The gateway is first, since the others
// are reached through it.
func (b *builder) createRoles(ctx *pulumi.Context) error {
	var err error
	b.gateway, err = roles.NewGateway(ctx, "gateway", &roles.GatewayArgs{
		Fleet: b.fleet, Size: b.size(stacks.Gateway),
		Domain: b.cfg.Domain, Zone: b.cfg.DNS.Zone, ExistingZone: !b.cfg.DNS.CreateZone,
	})
	if err != nil {
		return err
	}
	b.members[stacks.Gateway] = b.gateway
	for _, role := range stacks.Roles(b.features.Media) {
		if role == stacks.Gateway {
			continue
		}
		if b.members[role], err = b.createRole(ctx, role); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) createRole(ctx *pulumi.Context, role stacks.Role) (roles.Member, error) {
	size, volume, name := b.size(role), roleConfig(b.cfg, role).VolumeGB, string(role)
	switch role {
	case stacks.App:
		return roles.NewApp(ctx, name, &roles.AppArgs{Fleet: b.fleet, Size: size, Gateway: b.gateway})
	case stacks.DB:
		var err error
		b.database, err = roles.NewDatabase(ctx, name, &roles.DatabaseArgs{
			Fleet: b.fleet, Size: size, VolumeGB: volume, Gateway: b.gateway, Protect: b.cfg.Protect,
		})
		return b.database, err
	case stacks.Message:
		return roles.NewMessage(ctx, name, &roles.MessageArgs{
			Fleet: b.fleet, Size: size, VolumeGB: volume, Gateway: b.gateway, Protect: b.cfg.Protect,
		})
	case stacks.Media:
		return roles.NewMedia(ctx, name, &roles.MediaArgs{
			Fleet: b.fleet, Size: size, VolumeGB: volume, Gateway: b.gateway, Protect: b.cfg.Protect,
		})
	case stacks.Gateway, stacks.Internet: // built before; no server
	}
	return nil, fmt.Errorf("create role %q: not a role with servers of its own", role)
}

func (b *builder) size(role stacks.Role) cloud.Size {
	return b.catalogue.Sizes[sizePath(role)]
}

// startRoles ships the releases, in order. Between the database's and those of
// the services that migrate it stands its schema.
func (b *builder) startRoles(ctx *pulumi.Context) error {
	order := stacks.Roles(b.features.Media)
	var nodes []*roles.Node
	for _, role := range order {
		nodes = append(nodes, b.members[role].Nodes()...)
	}
	var registries []deploy.Registry
	for _, r := range b.cfg.Registries {
		registries = append(registries, deploy.Registry{Server: r.Server, Username: r.Username, Password: secret(r.Password)})
	}
	made := commit(ctx.Context(), ctx.RootDirectory(), os.Getenv)
	started := map[stacks.Role][]pulumi.CustomResource{}
	var schema *deploy.Schema
	var migrated []pulumi.CustomResource
	for _, role := range order {
		var after []pulumi.CustomResource
		for _, earlier := range roles.After(role, b.features.Media) {
			after = append(after, started[earlier]...)
		}
		if b.bundles[role].Migrates {
			after = append(after, schema.Ready())
		}
		releases, err := b.members[role].Start(ctx, &roles.StartArgs{
			Nodes: nodes, Bundle: b.bundles[role].Bundle, Commit: made, After: after, Registries: registries,
			SoakSeconds: b.cfg.Release.SoakSeconds,
		})
		if err != nil {
			return err
		}
		started[role] = releases
		if b.bundles[role].Migrates {
			migrated = append(migrated, releases...)
		}
		if role == stacks.DB { // the first of all
			if schema, err = b.database.GuardSchema(ctx, b.migrators(), releases); err != nil {
				return err
			}
		}
	}
	return schema.Record(ctx, migrated)
}

// migrators are the services that migrate the database, sorted by role and name.
func (b *builder) migrators() []deploy.Migrator {
	var all []deploy.Migrator
	for _, role := range stacks.Roles(b.features.Media) {
		for _, s := range b.bundles[role].services {
			if s.Migrates {
				all = append(all, deploy.Migrator{Service: s.Name, Image: s.Image})
			}
		}
	}
	return all
}

// createProject groups everything that the cloud's console can show together.
func (b *builder) createProject(ctx *pulumi.Context) error {
	members := b.gateway.URNs()
	for _, role := range stacks.Roles(b.features.Media) {
		for _, n := range b.members[role].Nodes() {
			members = append(members, n.URNs()...)
		}
	}
	return b.fleet.Group(ctx, members)
}

func secret(text string) pulumi.StringInput {
	return pulumi.ToSecret(pulumi.String(text)).(pulumi.StringOutput)
}
