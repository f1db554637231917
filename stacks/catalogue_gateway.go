package stacks

import (
	"slices"
	"strconv"
)

// Timeouts are ordered so that the innermost gives up first: a long poll (60 s
// at most), the gateway's call to a service, the edge's wait for the gateway.
const (
	gatewayTimeoutSec = 70
	edgeTimeoutSec    = 80
)

// breakerSec is how long the gateway leaves a service alone that has failed five
// times in a row. Its own default, a minute, is what a restart of PostgreSQL that
// takes seconds would cost.
const breakerSec = 5

// gatewayPort is where the API gateway listens, for Caddy alone.
const gatewayPort = 8080

// caddyConfig is where Caddy finds its configuration.
const caddyConfig = "/etc/caddy/" + currentConfig

// mediaMaxMB is the largest upload, as the services advertise it.
const mediaMaxMB = 100

func gatewayServices(f Features) []ServiceSpec {
	gateway := constructService("gateway", Gateway, gatewayPort)
	gateway.Private = nil // reached by Caddy alone, through HAProxy
	gateway.MemoryMB = 160
	gateway.Needs = []string{"redis-primary", "auth-service", "user-service", "notification-service", "messaging-service"}
	gateway.ConfigDir = secretsMount
	gateway.env = func(r *renderer) []variable {
		return slices.Concat(r.common(gateway), r.databaseUnused(), r.jwt(false), r.routes("auth-service"))
	}
	gateway.files = func(r *renderer) []File { return r.jwtFiles(false) }

	caddy := ServiceSpec{
		Name: "caddy", Role: Gateway, Image: "caddy",
		Command: []string{"caddy", "run", "--config", caddyConfig + "/Caddyfile", "--adapter", "caddyfile"},
		Reload:  []string{"caddy", "reload", "--config", caddyConfig + "/Caddyfile", "--adapter", "caddyfile"},
		UID:     caddyUID, GID: caddyUID,
		// Never held, as nobody but root could. The stock image's program does
		// not start without it.
		CapAdd: []string{"NET_BIND_SERVICE"},
		Sysctls: map[string]string{
			// Low ports for everybody, in the container's own network.
			"net.ipv4.ip_unprivileged_port_start": "0",
			// A reload opens the ports anew before it closes them. Connections that
			// wait at the old ones would be cut; the kernel moves them (since 5.14).
			"net.ipv4.tcp_migrate_req": "1",
		},
		Port:   caddyMetricsPort,
		Public: []Port{{80, "tcp"}, {443, "tcp"}, {443, "udp"}},
		Health: wgetHealth("http://127.0.0.1:" + strconv.Itoa(caddyMetricsPort) + "/health"),
		// QUIC and TLS hold buffers per connection. A stop closes the ports at
		// once, so that every second for those who poll is one without service.
		MemoryMB: 160, MemoryShare: 2, MemoryMaxMB: 2048, PIDs: 256, GraceSec: 10,
		StandIn: true, DrainSec: edgeTimeoutSec + 15,
		After: []string{"gateway", haproxyName}, Needs: []string{"gateway"},
		Data: []DataDir{{Host: "/var/lib/construct/caddy", Mount: "/data", Mode: 0o700}}, // certificates
		Tmpfs: []string{
			"/config:uid=10002,gid=10002,mode=0700,size=8m", // the configuration as it was last loaded
			"/run:uid=10002,gid=10002,mode=0700,size=1m",    // the admin socket
		},
		Environment: []HostVariable{{"CONSTRUCT_PUBLIC_IP", "${CONSTRUCT_PUBLIC_IP}"}},
		ConfigDir:   "/etc/caddy",
		files:       func(r *renderer) []File { return acmeRoot(r.d) },
	}
	if f.Media {
		caddy.Private = []int{caddyMetricsPort}
		caddy.Metrics = "/metrics"
		caddy.DrainSec = uploadSec + 15
		caddy.Needs = append(caddy.Needs, "media-service")
	}
	if !f.PreviousJWT {
		return []ServiceSpec{gateway, caddy}
	}
	previous := gatewayPrevious(gateway)
	caddy.After, caddy.Needs = append(caddy.After, previous.Name), append(caddy.Needs, previous.Name)
	return []ServiceSpec{gateway, previous, caddy}
}

const caddyMetricsPort = 2020

// caddyUID runs Caddy. Its image runs as root, to bind low ports.
const caddyUID = 10002

// acmeRoot is the authority that verifies the ACME directory, if it is not one
// of the system's.
func acmeRoot(d Deployment) []File {
	if d.Domain == "" || d.ACMECARoot == "" {
		return nil
	}
	return []File{{Path: acmeRootFile(d), Mode: 0o444, Content: pem(d.ACMECARoot)}}
}

// acmeRootFile is named by its content: Caddy does not reload a configuration
// whose text is the same, and would not notice another file behind one name.
func acmeRootFile(d Deployment) string { return "acme-root-" + sha256Hex(d.ACMECARoot)[:12] + ".pem" }

// backstop is a service's own limit for an hour, behind the edge's: twice of
// what that lets through, so that it never trips first.
func backstop(perHour int) string { return strconv.Itoa(2 * perHour) }

// routes is the gateway's own part of the environment; auth is where it sends
// what is auth's. While two key pairs are good the edge asks about each token
// first, which counts as a request: twice by address, and by user where the
// token is good.
func (r *renderer) routes(auth string) []variable {
	perHour := 60 * r.d.RateLimit.RequestsPerMinute
	if r.d.Features().PreviousJWT {
		perHour *= 2
	}
	most := backstop(perHour)
	vars := []variable{
		{"CIRCUIT_BREAKER_TIMEOUT_SECS", strconv.Itoa(breakerSec)},
		{"MAX_REQUESTS_PER_IP_PER_HOUR", most},
		{"MAX_REQUESTS_PER_USER_IP_PER_HOUR", most},
		{"MICROSERVICES_ENABLED", "true"},
		{"SERVICE_DISCOVERY_MODE", "static"},
		{"SERVICE_TIMEOUT_SECS", strconv.Itoa(gatewayTimeoutSec)},
	}
	for key, name := range map[string]string{
		"AUTH_SERVICE_URL": auth, "MESSAGING_SERVICE_URL": "messaging-service",
		"NOTIFICATION_SERVICE_URL": "notification-service", "USER_SERVICE_URL": "user-service",
	} {
		vars = append(vars, variable{key, "http://" + r.address(name)}) // envFile sorts
	}
	return vars
}
