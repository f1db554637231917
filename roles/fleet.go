package roles

import (
	"fmt"
	"net/netip"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
	"github.com/construct-server/infra/deploy"
	"github.com/construct-server/infra/firewall"
	"github.com/construct-server/infra/network"
	"github.com/construct-server/infra/stacks"
)

// fleetToken is part of every child's URN; a renamed one needs an alias.
const fleetToken = "construct:roles:Fleet"

// accountKey names the key that the cloud is given. It is derived like a host
// key and used by nobody: clouds refuse a key that the account already has, as
// it would if two stacks or the operator had registered theirs, and set and
// mail a root password if they are given none. Logins are cloud-init's.
const accountKey = "account"

// Login is how operators and the program log in on every host.
type Login struct {
	User           string             // required
	AuthorizedKeys []string           // authorized_keys lines; at least one
	PrivateKey     pulumi.StringInput // PEM, secret, of one of them; nil: the operator's agent
	Port           int                // required
	Direct         bool               // dial hosts themselves, not through the gateway
	HostKeySeed    string             // secret; required
	// PreviousHostKeySeed is the seed before, while host keys are replaced;
	// secret. Default: none.
	PreviousHostKeySeed string
	AccountSeed         string // secret; the cloud's own key is derived from it; required
}

// FleetArgs are required in full, save Zone, Outward and Reboots.
type FleetArgs struct {
	Cloud     cloud.Provider
	Scope     cloud.Scope
	CIDR      netip.Prefix
	Zone      string // cloud.Catalogue.Zone
	Features  stacks.Features
	Login     Login
	Operators []netip.Prefix // who may dial SSH
	Outward   []stacks.Flow  // further ways out (stacks.Outward); may be empty
	Reboots   *Window        // when servers may reboot for upgrades; nil: never
}

// Fleet is what all servers of a deployment share: group, account key, private
// network and firewalls.
type Fleet struct {
	pulumi.ResourceState

	cloud     cloud.Provider
	scope     cloud.Scope
	cidr      netip.Prefix
	features  stacks.Features
	login     Login
	operators []netip.Prefix
	reboots   *Window
	group     *cloud.Group
	key       *cloud.Key
	network   *network.Network
	firewall  *firewall.Firewall
}

// NewFleet creates what the servers share.
func NewFleet(ctx *pulumi.Context, name string, args *FleetArgs, opts ...pulumi.ResourceOption) (*Fleet, error) {
	f := &Fleet{
		cloud: args.Cloud, scope: args.Scope, cidr: args.CIDR,
		features: args.Features, login: args.Login, operators: args.Operators, reboots: args.Reboots,
	}
	inputs := pulumi.Map{"name": pulumi.String(args.Scope.Name())}
	if err := ctx.RegisterComponentResourceV2(fleetToken, name, inputs, f, opts...); err != nil {
		return nil, fmt.Errorf("register fleet %q: %w", name, err)
	}
	inside := pulumi.Parent(f)
	if err := f.identify(ctx, name, inside); err != nil {
		return nil, err
	}
	var err error
	f.network, err = network.New(ctx, "network", &network.Args{Cloud: args.Cloud, CIDR: args.CIDR, Zone: args.Zone}, inside)
	if err != nil {
		return nil, err
	}
	f.firewall, err = firewall.New(ctx, "firewall", &firewall.Args{
		Cloud: args.Cloud, Group: f.group, Operators: args.Operators,
		Options: firewall.Options{
			Features: args.Features, SSHPort: args.Login.Port, SSHDirect: args.Login.Direct, Outward: args.Outward,
		},
	}, inside)
	if err != nil {
		return nil, err
	}
	if err := ctx.RegisterResourceOutputs(f, pulumi.Map{}); err != nil {
		return nil, fmt.Errorf("register outputs of fleet %q: %w", name, err)
	}
	return f, nil
}

// identify creates the group and the account's key.
func (f *Fleet) identify(ctx *pulumi.Context, name string, inside pulumi.ResourceOption) error {
	var names []string
	for _, role := range stacks.Roles(f.features.Media) {
		names = append(names, string(role))
	}
	var err error
	f.group, err = f.cloud.NewGroup(ctx, name, &cloud.GroupArgs{Roles: names}, inside)
	if err != nil {
		return err
	}
	_, public, err := deploy.HostKey(f.login.AccountSeed, f.scope.Name(accountKey))
	if err != nil {
		return err
	}
	f.key, err = f.cloud.NewKey(ctx, name, &cloud.KeyArgs{PublicKey: public}, inside)
	return err
}

// Group shows the deployment's members together in the cloud's console, once
// they are all known by their cloud's names.
func (f *Fleet) Group(ctx *pulumi.Context, members []pulumi.StringInput) error {
	return f.cloud.NewProject(ctx, "project", &cloud.ProjectArgs{Members: members}, pulumi.Parent(f))
}
