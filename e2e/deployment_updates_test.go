package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (d *deployment) noop(t *testing.T) {
	before := commands(t, d.Lab).Total
	require.Positive(t, before, "the commands of the first up were not counted")
	assert.Equal(t, []string{"same"}, kinds(up(t, d.Lab)), "a second up changed something")
	assert.Equal(t, before, commands(t, d.Lab).Total, "a second up ran SSH commands")
}

// version is the version of the service that answers a path.
func (d *deployment) version(t *testing.T, path string) string {
	t.Helper()
	answer, err := d.user.Do(t.Context(), http.MethodGet, path, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.Status, "%s: %s", path, answer.Body)
	return answer.Version
}

// update releases a new tag of one service.
func (d *deployment) update(t *testing.T) {
	started := d.starts(t)
	before := commands(t, d.Lab) // and from here on the test itself asks no host
	d.release(t, "user-service", "0.7.1")
	namesOnly(t, preview(t, d.Lab), "user-service", "0.7.1")
	up(t, d.Lab)
	after := commands(t, d.Lab)
	assert.Equal(t, "0.7.1", d.version(t, "/api/v1/users/profile"))
	assert.Equal(t, "0.7.0", d.version(t, "/api/v1/messages?timeout=0"))
	touchedOnly(t, "app", before, after)
	for name, at := range d.starts(t) {
		if strings.Contains(name, "user-service") {
			assert.NotEqual(t, started[name], at, "%s was not restarted", name)
			continue
		}
		assert.Equal(t, started[name], at, "%s was restarted by an update of user-service", name)
	}
}

// badLine releases a version, and the one that ran before, while packets are lost.
func (d *deployment) badLine(t *testing.T) {
	for _, tag := range []string{"0.7.0", "0.7.1"} {
		d.release(t, "user-service", tag)
		throughLoss(t, d.Lab, func() (string, error) { return tryUp(t, d.Lab) })
		assert.Equal(t, tag, d.version(t, "/api/v1/users/profile"))
	}
	d.noop(t)
}

// starts says when each container of the fleet was started.
func (d *deployment) starts(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for role := range d.servers {
		lines := d.on(t, role, "sudo docker ps -q | xargs sudo docker inspect -f '{{.Name}} {{.State.StartedAt}}'")
		for line := range strings.Lines(lines) {
			name, at, _ := strings.Cut(strings.TrimSpace(line), " ")
			out[role+name] = at
		}
	}
	return out
}
