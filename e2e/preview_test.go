package e2e

import (
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

var (
	// changedService is a line by which a preview says what a release changes:
	// name, image, configuration.
	changedService = regexp.MustCompile(`(?m)^\s*([-+]) # ([a-z-]+) (\S+) config \S+`)
	changedURN     = regexp.MustCompile(`\((?:create|update|replace|delete)\)\s+(?:\[id=[^\]]*\]\s+)?\[urn=[^\]]*::([^\]:]+)\]`)
)

// namesOnly expects a preview of a new tag of one service on the app server: it
// shows that service with that tag, no other, and nothing of other servers.
func namesOnly(t *testing.T, plan, service, tag string) {
	t.Helper()
	var services []string
	for _, found := range changedService.FindAllStringSubmatch(plan, -1) {
		services = append(services, found[2])
		if found[1] == "+" {
			assert.Contains(t, found[3], ":"+tag)
		}
	}
	slices.Sort(services)
	assert.Equal(t, []string{service}, slices.Compact(services), "the services that the preview shows as changed:\n%s", plan)
	urns := changedURN.FindAllStringSubmatch(plan, -1)
	assert.NotEmpty(t, urns, "the preview shows no change:\n%s", plan)
	for _, found := range urns {
		assert.Regexp(t, `^app-1(-|$)`, found[1], "the preview changes what is not on the app server")
	}
}
