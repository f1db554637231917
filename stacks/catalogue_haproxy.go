package stacks

import "slices"

const (
	haproxyName = "haproxy"
	haproxyUID  = 10003 // its image has a user, which differs between Linux distributions
	// haproxyPort has health and metrics, haproxyAdminPort the commands that
	// drain, inside its own container only.
	haproxyPort      = 8404
	haproxyAdminPort = 9999
	// haproxyMasterPort has the master's commands, by which its workers are asked
	// when they end.
	haproxyMasterPort = 9998
	haproxyConfig     = "/etc/haproxy/" + currentConfig
	// haproxySlots is how many containers of one service it can tell apart.
	haproxySlots = 4
)

// haproxies are one for each role that has rolling services with a port.
func haproxies(all []ServiceSpec, f Features) []ServiceSpec {
	var out []ServiceSpec
	for _, role := range sortedRoles(f.Media) {
		if len(behindHAProxy(all, role)) > 0 {
			out = append(out, haproxy(role, f))
		}
	}
	return out
}

// behindHAProxy lists the services of a role that are reached through HAProxy.
func behindHAProxy(all []ServiceSpec, role Role) []ServiceSpec {
	return slices.DeleteFunc(slices.Clone(all), func(s ServiceSpec) bool {
		return s.Role != role || !s.Rolling || s.Port == 0
	})
}

// haproxy stands in front of a host's rolling services. It finds their
// containers by the engine's name server, so that it needs no telling after a
// reboot or a crash; only a release tells it which to drain.
func haproxy(role Role, f Features) ServiceSpec {
	s := ServiceSpec{
		Name: haproxyName, Role: role, Image: "haproxy",
		Entrypoint: []string{"bash", haproxyConfig + "/start.sh"},
		Reload:     []string{"bash", haproxyConfig + "/reload.sh"},
		UID:        haproxyUID, GID: haproxyUID,
		Port:   haproxyPort,
		Health: httpHealth(haproxyPort, "/health"),
		// Connections are bounded by it: haproxyConnections.
		MemoryMB: 48, MemoryShare: 1, MemoryMaxMB: 384, PIDs: 64, GraceSec: 5,
		// By which it ends when its connections have.
		StandIn: true, StopSignal: "SIGUSR1", DrainSec: edgeTimeoutSec + 15,
		Tmpfs:     []string{"/run:uid=10003,gid=10003,mode=0700,size=1m"},
		ConfigDir: "/etc/haproxy",
		files: func(r *renderer) []File {
			files, err := r.templates("haproxy")
			if err != nil {
				r.fail(err)
			}
			return files
		},
	}
	if role == Media {
		s.DrainSec = uploadSec + 15
	}
	if f.Media {
		s.Private = []int{haproxyPort}
		s.Metrics = "/metrics"
	}
	return s
}

// published are the ports of the host's private address that lead to a
// service: HAProxy has those of what it stands in front of.
func (r *renderer) published(s ServiceSpec) []int {
	switch {
	case s.Name == haproxyName:
		ports := slices.Clone(s.Private)
		for _, behind := range behindHAProxy(r.mine, r.role) {
			ports = append(ports, behind.Private...)
		}
		slices.Sort(ports)
		return ports
	case s.Rolling:
		return nil
	}
	return s.Private
}

// haproxyView is what HAProxy's templates see.
type haproxyView struct {
	Port, AdminPort, MasterPort, Slots int
	Connections                        int // at most, of callers
	TimeoutSec, DrainSec               int
	Services                           []ServiceSpec
}

func (r *renderer) haproxyView() haproxyView {
	s, _ := find(r.mine, haproxyName)
	return haproxyView{
		Port: haproxyPort, AdminPort: haproxyAdminPort, MasterPort: haproxyMasterPort, Slots: haproxySlots,
		Connections: haproxyConnections(r.limits[r.role][haproxyName]),
		TimeoutSec:  edgeTimeoutSec + 15,
		DrainSec:    s.DrainSec,
		Services:    behindHAProxy(r.mine, r.role),
	}
}

// haproxyConnections is how many fit into its memory: 20 MB are its own, a
// connection that waits for an answer takes some 24 KB on both sides, and one
// that moves data two buffers of 32 KB more, which few do at once. Each takes two
// file descriptors, of which an engine may allow 20,000.
func haproxyConnections(limitMB int) int { return min(8192, max(0, limitMB-20)<<10/28) }
