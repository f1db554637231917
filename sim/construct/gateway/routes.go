package gateway

import (
	"strings"

	"github.com/construct-server/infra/sim/construct/settings"
)

// routes maps public prefixes to services. A prefix matches itself and
// whatever lies below it, never a longer word.
var routes = []struct{ prefix, service string }{
	{"/api/v1/auth", settings.Auth},
	{"/api/v1/users", settings.User},
	{"/api/v1/account", settings.User},
	{"/api/v1/keys", settings.User},
	{"/api/v1/messages", settings.Messaging},
	{"/api/v1/media", settings.Messaging},
	{"/api/v1/notifications", settings.Notification},
}

// Target returns the service a path belongs to, or false.
func Target(path string) (string, bool) {
	for _, r := range routes {
		if path == r.prefix || strings.HasPrefix(path, r.prefix+"/") {
			return r.service, true
		}
	}
	return "", false
}

// Public says whether a path needs no token. Auth's refresh is not among
// them: it wants an access token that has not run out.
func Public(path string) bool {
	switch path {
	case "/health", "/health/ready", "/health/live",
		"/api/v1/auth/challenge", "/api/v1/auth/register-device", "/api/v1/auth/device",
		"/api/v1/users/username/availability":
		return true
	}
	return false
}
