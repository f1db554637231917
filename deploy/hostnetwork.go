package deploy

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// hostNetworkToken is part of every child's URN; a renamed one needs an alias.
const hostNetworkToken = "construct:deploy:HostNetwork"

// Peer is a name that the fleet uses for one of its servers.
type Peer struct {
	Name    string             // "db.internal"; several peers may share one
	Address pulumi.StringInput // private address
}

// HostNetworkArgs is what a host must know of the network.
type HostNetworkArgs struct {
	Host    *Host              // required
	Private pulumi.StringInput // the host's own private address; required
	Public  pulumi.StringInput // the address clients use: the gateway's stable one, else the server's; required
	Peers   []Peer             // every server of the fleet, this one included
}

// HostNetwork is a host that knows its own addresses and its peers' names.
// Names resolve on the host and in its containers; a change reaches running
// containers without restarting them.
type HostNetwork struct {
	pulumi.ResourceState

	private, public pulumi.StringInput
	command         pulumi.CustomResource
}

// NewHostNetwork writes /etc/construct/hosts (served to containers by the
// host's resolver), the fleet's block in /etc/hosts and
// /etc/construct/host.env. Child: name-network.
func NewHostNetwork(ctx *pulumi.Context, name string, args *HostNetworkArgs, opts ...pulumi.ResourceOption) (*HostNetwork, error) {
	if args.Host == nil || args.Private == nil || args.Public == nil {
		return nil, fmt.Errorf("host network %q: %w", name, errors.New("host, private and public address are required"))
	}
	n := &HostNetwork{private: args.Private, public: args.Public}
	inputs := pulumi.Map{"private": args.Private, "public": args.Public}
	if err := ctx.RegisterComponentResourceV2(hostNetworkToken, name, inputs, n, opts...); err != nil {
		return nil, fmt.Errorf("register host network %q: %w", name, err)
	}
	body, err := script("network.sh")
	if err != nil {
		return nil, err
	}
	host := args.Host
	words := []pulumi.StringInput{
		pulumi.String("--private"), args.Private, pulumi.String("--public"), args.Public,
		pulumi.String("--mtu"), pulumi.String(strconv.Itoa(host.mtu)),
	}
	for _, p := range args.Peers {
		words = append(words, pulumi.String("--peer"), pulumi.Sprintf("%s=%s", p.Name, p.Address))
	}
	n.command, err = newStep(ctx, name+"-network", step{
		access: host.access, dialErrors: dialErrors, server: host.server, serverID: host.serverID,
		text: commandText([]string{fmt.Sprintf("tell %s the fleet's addresses (script %s)", host.name, digest([]byte(body)))},
			"exec sudo bash -s --", words...),
		stdin: pulumi.String(body), parent: n, after: []pulumi.CustomResource{host.setup},
	})
	if err != nil {
		return nil, err
	}
	if err := ctx.RegisterResourceOutputs(n, pulumi.Map{}); err != nil {
		return nil, fmt.Errorf("register outputs of host network %q: %w", name, err)
	}
	return n, nil
}
