package e2e

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/construct-server/infra/sim/control"
)

var (
	// changedService is a line by which a preview says what a release changes:
	// name, image, configuration.
	changedService = regexp.MustCompile(`(?m)^\s*([-+]) # ([a-z-]+) (\S+) config \S+`)
	changedURN     = regexp.MustCompile(`\((?:create|update|replace|delete)\)\s+(?:\[id=[^\]]*\]\s+)?\[urn=[^\]]*::([^\]:]+)\]`)
)

// namesOnly expects a preview of a new tag of one service on the app server: it
// shows that service with that tag, no other, and nothing of other servers but
// what the new version means for the database.
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
		assert.Regexp(t, `^(app-1(-.*)?|db-1-schema(-record)?)$`, found[1], "the preview changes what is not on the app server")
	}
}

// touchedOnly expects that an update of services of one role has run commands on
// its server; beside it the database's was asked, before and after, and no other.
func touchedOnly(t *testing.T, role string, before, after control.Commands) {
	t.Helper()
	assert.Len(t, after.Hosts, len(before.Hosts))
	for name, list := range after.Hosts {
		list = list[len(before.Hosts[name]):]
		switch {
		case strings.Contains(name, "-"+role+"-"):
			assert.NotEmpty(t, list, "%s was not updated", name)
		case strings.Contains(name, "-db-"):
			assert.Len(t, list, 2, "%s was told other things", name)
			for _, c := range list {
				// Container hosts do not know what they were told.
				assert.True(t, c.Text == "" || strings.Contains(c.Text, "construct-schema "), "%s was told: %s", name, c.Text)
			}
		default:
			assert.Empty(t, list, "%s was touched by an update of %s", name, role)
		}
	}
}
