package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// brokenReleases are the ways in which a new version can be bad, and what the
// failure says of each beside host, service and image.
var brokenReleases = []struct {
	tag  string
	says []string
}{
	{"0.7.2-broken-exit", []string{"exit code 1", "this release is broken"}},
	{"0.7.2-broken-health", []string{"last health check", "listening on"}}, // minutes: it is waited for
	{"0.7.2-broken-later", []string{"within 25 seconds of having been healthy", "exit code 3", "this release is broken"}},
	{"0.7.2-broken-memory", []string{"within 25 seconds of having been healthy", "exit code 137"}},
	{"0.7.2-broken-logs", []string{"last health check", "this release talks too much"}},
	// What no kernel takes, the container's init gives to a shell.
	{"0.7.2-broken-arch", []string{"exit code 127", "ELF"}},
	{"0.7.2-never-published", []string{"could not pull"}},
}

// broken releases bad versions of a service: each time the old one serves on,
// without a failed request, and the failure says what is wrong. Then the whole
// release is bad: no role goes further than the first that notices.
func (d *deployment) broken(t *testing.T) {
	good := d.Settings
	for _, c := range brokenReleases {
		if !d.soak { // minutes each
			break
		}
		d.release(t, "user-service", c.tag)
		var said string
		report := d.underLoad(t, "a release that is bad: "+c.tag, func() {
			start := time.Now()
			said = upFails(t.Context(), t, d.Stack)
			assert.Less(t, time.Since(start), 4*time.Minute, "%s: a failure takes too long", c.tag)
		})
		for _, want := range append(c.says, d.servers["app"].Name, "user-service", c.tag) {
			assert.Contains(t, said, want, "%s: the failure does not say %q", c.tag, want)
		}
		assert.Empty(t, head(report.Failed), "%s: requests failed", c.tag)
		assert.Equal(t, "0.7.0", d.version(t, "/api/v1/users/profile"), "%s: the old version does not serve", c.tag)
	}
	histories := func() (all []string) {
		for _, role := range []string{"app", "gateway"} {
			all = append(all, d.on(t, role, "sudo construct-release history"))
		}
		return all
	}
	before := histories()
	release := map[string]any{"repository": "ghcr.io/construct-server/construct-server", "tag": "0.7.2-broken-exit", "soakSeconds": soakSeconds}
	require.NoError(t, d.Configure(t.Context(), d.Settings.With("construct:release", release)))
	var said string
	report := d.underLoad(t, "a release that is bad on every host", func() { said = upFails(t.Context(), t, d.Stack) })
	assert.Empty(t, head(report.Failed), "requests failed")
	for _, want := range []string{d.servers["message"].Name, "0.7.2-broken-exit", "exit code 1", "this release is broken"} {
		assert.Contains(t, said, want)
	}
	for _, path := range []string{"/api/v1/messages?timeout=0", "/api/v1/users/profile"} {
		assert.Equal(t, "0.7.0", d.version(t, path), "%s", path)
	}
	assert.Equal(t, before, histories(), "a role was started on a release that was bad on the role before")
	require.NoError(t, d.Configure(t.Context(), good))
	up(t, d.Lab)
	assert.Equal(t, "0.7.0", d.version(t, "/api/v1/users/profile"))
}
