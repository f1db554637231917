package program

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/roles"
	"github.com/construct-server/infra/stacks"
)

// fleetOutput is what `construct status` and the commands beside it go by: how
// each host is reached and recognised, and what should run on it. Nothing in it
// is secret: the digests are keyed, the keys public.
func (b *builder) fleetOutput() pulumi.Map {
	var hosts pulumi.Array
	for _, role := range stacks.Roles(b.features.Media) {
		services := b.servicesOutput(role)
		for _, n := range b.members[role].Nodes() {
			hosts = append(hosts, b.hostOutput(role, n, services))
		}
	}
	return pulumi.Map{
		"user":  pulumi.String(b.cfg.AdminUser),
		"port":  pulumi.Int(b.cfg.SSH.Port),
		"hosts": hosts,
	}
}

func (b *builder) hostOutput(role stacks.Role, n *roles.Node, services pulumi.Array) pulumi.Map {
	via := "" // dialled directly
	if gateway := b.gateway.Nodes()[0]; n != gateway && !b.cfg.SSH.Direct {
		via = gateway.Name()
	}
	return pulumi.Map{
		"name":     pulumi.String(n.Name()),
		"role":     pulumi.String(role),
		"server":   pulumi.String(n.ServerName()),
		"address":  n.Address(),
		"via":      pulumi.String(via),
		"hostKey":  pulumi.String(n.HostKey()),
		"release":  n.Release,
		"firewall": n.Firewall,
		"services": services,
	}
}

func (b *builder) servicesOutput(role stacks.Role) pulumi.Array {
	var services pulumi.Array
	for _, s := range b.bundles[role].services {
		services = append(services, pulumi.Map{
			"name":     pulumi.String(s.Name),
			"image":    pulumi.String(s.Image),
			"config":   pulumi.String(s.ConfigDigest),
			"stateful": pulumi.Bool(s.Stateful),
			"migrates": pulumi.Bool(s.Migrates),
		})
	}
	return services
}
