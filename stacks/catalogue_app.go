package stacks

import "slices"

// constructUID runs the Construct services. Their image runs as root, yet
// nothing in them needs to: they listen above 1024 and write only below
// MEDIA_STORAGE_DIR.
const constructUID = 10001

// servicePool is the services' connection pool: sqlx' default, which no variable
// changes (facts 1a).
const servicePool = 10

// drainSec is longer than the longest request, a poll of gatewayTimeoutSec.
const drainSec = 75

// constructService is what the seven services share. The stop grace is longer
// than the longest request: without a SIGTERM handler the init process ends
// them at once, later releases drain (facts 1a, 1c).
func constructService(name string, role Role, port int) ServiceSpec {
	s := ServiceSpec{
		Name: name, Role: role, Image: ConstructImage, Command: []string{name},
		UID: constructUID, GID: constructUID, Port: port,
		MemoryMB: 128, MemoryShare: 1, MemoryMaxMB: 1024, PIDs: 256, GraceSec: 75,
		Rolling: true, HostNames: true,
	}
	if port != 0 {
		s.DrainSec = drainSec
		s.Private = []int{port}
		s.HealthPath = "/health"
		s.Health = httpHealth(port, s.HealthPath)
	}
	return s
}

func appServices(f Features) []ServiceSpec {
	auth := constructService("auth-service", App, 8001)
	auth.Needs = []string{"postgres", "redis-primary"}
	auth.ConfigDir, auth.Pool, auth.Migrates = secretsMount, servicePool, true
	auth.env = func(r *renderer) []variable {
		registrations := []variable{{"MAX_REGISTRATIONS_PER_HOUR", backstop(r.d.RateLimit.RegistrationsPerHour)}}
		return slices.Concat(r.common(auth), r.database(), r.jwt(true), r.vault(), registrations)
	}
	auth.files = func(r *renderer) []File { return slices.Concat(r.jwtFiles(true), r.databaseFiles()) }

	user := constructService("user-service", App, 8002)
	user.Needs = []string{"postgres", "redis-primary"}
	user.ConfigDir, user.Pool, user.Migrates = secretsMount, servicePool, true
	user.env = func(r *renderer) []variable {
		return slices.Concat(r.common(user), r.database(), r.jwt(false))
	}
	user.files = func(r *renderer) []File { return slices.Concat(r.jwtFiles(false), r.databaseFiles()) }

	notification := constructService("notification-service", App, 8003)
	notification.Needs = []string{"postgres", "redis-primary"}
	notification.ConfigDir, notification.Pool, notification.Migrates = secretsMount, servicePool, true
	notification.env = func(r *renderer) []variable {
		return slices.Concat(r.common(notification), r.database(), r.jwt(false), r.vault(), r.apns())
	}
	notification.files = func(r *renderer) []File {
		return slices.Concat(r.jwtFiles(false), r.databaseFiles(), r.apnsFiles())
	}

	if f.PreviousJWT {
		return []ServiceSpec{auth, authPrevious(auth), user, notification}
	}
	return []ServiceSpec{auth, user, notification}
}
