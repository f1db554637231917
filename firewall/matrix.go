package firewall

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/construct-server/infra/cloud"
	"github.com/construct-server/infra/stacks"
)

// The endpoints of a row that are not a role.
const (
	Internet  = stacks.Internet           // any address
	Operators = stacks.Role("operators")  // ssh.allowedCidrs
	Fleet     = stacks.Role("every role") // all servers of the deployment
)

// Row admits one kind of traffic. Every firewall is stateful: answers need no
// row. Between roles, and within a role, a row speaks of private addresses;
// with Internet or Operators at one end, of every address.
type Row struct {
	From, To stacks.Role
	Protocol cloud.Protocol
	Port     int // 0: every port of the protocol
	Why      string
	// HostOnly rows are what a server itself dials. Its containers do not: what
	// their services need has rows of its own.
	HostOnly bool
	// NoGap rows lead to what is never to be seen missing: who connects while
	// nobody listens is left to try again, not refused.
	NoGap bool
}

// Options are what the matrix depends on.
type Options struct {
	Features  stacks.Features
	SSHPort   int
	SSHDirect bool // operators reach every host, not the gateway alone
	// Outward is what services dial outside the fleet, and hosts beyond what
	// every host may (stacks.Outward).
	Outward []stacks.Flow
}

// Matrix lists every flow that is admitted, sorted, each once.
func Matrix(o Options) []Row {
	var rows []Row
	for _, f := range slices.Concat(stacks.Flows(o.Features), o.Outward) {
		rows = append(rows, Row{f.From, f.To, cloud.Protocol(f.Protocol), f.Port, f.Why, f.HostOnly, f.NoGap})
	}
	rows = append(rows, sshRows(o)...)
	rows = append(rows,
		Row{Fleet, Fleet, cloud.ICMP, 0, "ping, and path MTU discovery", true, false},
		// A host's own way out is the web's ports, names and time; any further port
		// is one that the configuration names. Names are asked of the host's
		// resolver by containers, so the way to others is the host's.
		Row{Fleet, Internet, cloud.TCP, 53, "DNS, answers that do not fit into a packet", true, false},
		Row{Fleet, Internet, cloud.TCP, 80, "packages", true, false},
		Row{Fleet, Internet, cloud.TCP, 443, "packages, images", true, false},
		Row{Fleet, Internet, cloud.UDP, 53, "DNS", true, false},
		Row{Fleet, Internet, cloud.UDP, 123, "NTP", true, false},
		Row{Fleet, Internet, cloud.ICMP, 0, "ping, and path MTU discovery", true, false},
	)
	slices.SortFunc(rows, compareRows)
	return rows
}

// sshRows lets operators in through the gateway, or directly everywhere.
func sshRows(o Options) []Row {
	rows := []Row{{Operators, stacks.Gateway, cloud.TCP, o.SSHPort, "SSH, and the way to the other hosts", false, false}}
	for _, role := range stacks.Roles(o.Features.Media) {
		switch {
		case role == stacks.Gateway:
		case o.SSHDirect:
			rows = append(rows, Row{Operators, role, cloud.TCP, o.SSHPort, "SSH (ssh.direct)", false, false})
		default:
			rows = append(rows, Row{stacks.Gateway, role, cloud.TCP, o.SSHPort, "SSH through the gateway", true, false})
		}
	}
	return rows
}

func compareRows(a, b Row) int {
	return cmp.Or(
		cmp.Compare(position(a.To), position(b.To)), cmp.Compare(position(a.From), position(b.From)),
		cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Port, b.Port), cmp.Compare(a.dialler(), b.dialler()), cmp.Compare(a.Why, b.Why),
	)
}

// position puts the public side first, then the roles as traffic passes them.
func position(endpoint stacks.Role) int {
	order := []stacks.Role{Operators, stacks.Gateway, stacks.App, stacks.Message, stacks.DB, stacks.Media, Fleet, Internet}
	return slices.Index(order, endpoint)
}

// dialler is a row's origin as the documentation writes it.
func (r Row) dialler() string {
	if r.HostOnly {
		return string(r.From) + ", hosts"
	}
	return string(r.From)
}

// PortName is a row's port as the documentation writes it.
func (r Row) PortName() string {
	switch {
	case r.Protocol == cloud.ICMP:
		return "—"
	case r.Port == 0:
		return "all"
	default:
		return strconv.Itoa(r.Port)
	}
}
