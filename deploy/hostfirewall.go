package deploy

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// hostFirewallToken is part of every child's URN; a renamed one needs an alias.
const hostFirewallToken = "construct:deploy:HostFirewall"

// firewallSeconds bounds the change of a ruleset: its trial, and the wait for
// another change to end.
const firewallSeconds = 240

// HostFirewallArgs are required in full.
type HostFirewallArgs struct {
	Host  *Host
	Rules pulumi.StringInput // an nftables ruleset that owns the table "inet construct"
}

// HostFirewall is a host whose packets are filtered by a ruleset that has let
// its operator's connection in.
type HostFirewall struct {
	pulumi.ResourceState

	// Digest of the ruleset, known before it filters.
	Digest pulumi.StringOutput `pulumi:"digest"`

	command pulumi.CustomResource
}

// NewHostFirewall loads the ruleset. It runs again when the ruleset changes, and
// then touches nothing else: no service, no connection. Child: name-firewall.
func NewHostFirewall(ctx *pulumi.Context, name string, args *HostFirewallArgs, opts ...pulumi.ResourceOption) (*HostFirewall, error) {
	if args.Host == nil || args.Rules == nil {
		return nil, fmt.Errorf("host firewall %q: %w", name, errors.New("host and rules are required"))
	}
	f := &HostFirewall{}
	if err := ctx.RegisterComponentResourceV2(hostFirewallToken, name, pulumi.Map{}, f, opts...); err != nil {
		return nil, fmt.Errorf("register host firewall %q: %w", name, err)
	}
	host := args.Host
	version := args.Rules.ToStringOutput().ApplyT(func(rules string) string { return digest([]byte(rules)) }).(pulumi.StringOutput)
	command, err := newStep(ctx, name+"-firewall", step{
		access: host.access, dialErrors: dialErrors, server: host.server, serverID: host.serverID,
		text: commandText([]string{"filter packets on " + host.name},
			fmt.Sprintf("exec sudo timeout %d /usr/local/sbin/construct-firewall apply", firewallSeconds), version),
		stdin: args.Rules, parent: f, after: []pulumi.CustomResource{host.setup},
	})
	if err != nil {
		return nil, err
	}
	f.command = command
	f.Digest = version
	if err := ctx.RegisterResourceOutputs(f, pulumi.Map{"digest": f.Digest}); err != nil {
		return nil, fmt.Errorf("register outputs of host firewall %q: %w", name, err)
	}
	return f, nil
}
