package e2e

import (
	"net/netip"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/e2e/packets"
	"github.com/construct-server/infra/firewall"
	"github.com/construct-server/infra/stacks"
)

// source is where probes come from.
type source struct {
	name      string
	role      stacks.Role // "" outside the fleet
	operator  bool        // at an address of ssh.allowedCidrs
	container bool        // in a container on the role's host
	run       func(packets.Try) packets.Report
}

// target is one address of a host, or of a stranger outside.
type target struct {
	role    stacks.Role // "" a stranger's
	address netip.Addr
	private bool
}

// expectation says whether a probe should get through.
type expectation func(s *source, to target, p packets.Probe) bool

// everything is what gets through where nothing filters.
func everything(*source, target, packets.Probe) bool { return true }

// byMatrix is the matrix, read independently of how it is rendered: a probe
// passes if a row lets it out of where it comes from and a row lets it in. Rows
// that are a host's own say nothing of what its containers dial, at other
// machines and at the host itself; once out, a container's packets are its host's.
func byMatrix(rows []firewall.Row) expectation {
	return func(s *source, to target, p packets.Probe) bool {
		in, out := to.role == "", s.role == "" || s.role == to.role
		for _, row := range rows {
			if string(row.Protocol) != p.Protocol || row.Port != 0 && row.Port != p.Port {
				continue
			}
			excluded := row.HostOnly && s.container
			if covers(row.To, to.role) && (!excluded || s.role != to.role) {
				in = in || row.From == firewall.Internet || row.From == firewall.Operators && s.operator && to.address.Is4() ||
					covers(row.From, s.role) && to.private
			}
			if covers(row.From, s.role) && !excluded {
				out = out || row.To == firewall.Internet || covers(row.To, to.role) && to.private
			}
		}
		return in && out
	}
}

// byCloud is what a cloud's own firewall guarantees without the hosts'.
// DigitalOcean's names servers, whichever address they use; Hetzner's neither
// knows servers nor sees the private network. Neither sees what stays on a
// host.
func byCloud(cloud config.Cloud, rows []firewall.Row) expectation {
	servers := cloud == config.DigitalOcean
	return func(s *source, to target, p packets.Probe) bool {
		if s.role == to.role || to.private && !servers {
			return true
		}
		in, out := to.role == "", s.role == ""
		for _, row := range rows {
			if string(row.Protocol) != p.Protocol || row.Port != 0 && row.Port != p.Port {
				continue
			}
			if covers(row.To, to.role) {
				in = in || row.From == firewall.Internet || row.From == firewall.Operators && s.operator && to.address.Is4() ||
					servers && covers(row.From, s.role)
			}
			if covers(row.From, s.role) {
				out = out || row.To == firewall.Internet || servers && covers(row.To, to.role)
			}
		}
		return in && out
	}
}

// covers tells whether a row's endpoint names a role.
func covers(endpoint, role stacks.Role) bool {
	return role != "" && (endpoint == role || endpoint == firewall.Fleet)
}
