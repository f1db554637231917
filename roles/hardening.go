package roles

import (
	"fmt"
	"slices"

	"github.com/construct-server/infra/deploy"
	"github.com/construct-server/infra/stacks"
)

// interfaces are the media services that an operator opens through a tunnel.
var interfaces = []string{"alertmanager", "grafana", "prometheus"}

// hardening is what closes one server.
func (f *Fleet) hardening(args *NodeArgs) deploy.Hardening {
	h := deploy.Hardening{Forward: f.forward(args.Role)}
	if args.Gateway == nil {
		h.Operators = f.operators
	}
	if f.reboots != nil {
		h.RebootAt = f.reboots.turn(args.Role, args.Index)
	}
	return h
}

// forward lists what a role's sshd passes connections on to: the gateway's to
// the other hosts' sshd, media's to the monitoring's user interfaces.
func (f *Fleet) forward(role stacks.Role) []string {
	switch role {
	case stacks.Gateway:
		return []string{fmt.Sprintf("*:%d", f.login.Port)}
	case stacks.Media:
		var to []string
		for _, s := range stacks.Services(role, f.features) {
			if slices.Contains(interfaces, s.Name) {
				to = append(to, fmt.Sprintf("*:%d", s.Port))
			}
		}
		return to
	case stacks.App, stacks.DB, stacks.Message, stacks.Internet:
	}
	return nil
}
