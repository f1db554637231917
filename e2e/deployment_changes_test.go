package e2e

import (
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// maintenance closes the entrance and opens it again, by configuration. No
// container is restarted for it and no request is cut.
func (d *deployment) maintenance(t *testing.T) {
	open := d.Settings
	started := d.starts(t)
	stop := d.knock(t)
	require.NoError(t, d.Configure(t.Context(), open.With("construct:gateway", map[string]any{
		"maintenance": map[string]any{"enabled": true, "retryAfterSeconds": 120},
	})))
	up(t, d.Lab)
	answer, err := d.user.Do(t.Context(), http.MethodGet, "/api/v1/users/profile", nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusServiceUnavailable, answer.Status)
	assert.Equal(t, "120", answer.Header.Get("Retry-After"))
	require.NoError(t, d.Configure(t.Context(), open))
	up(t, d.Lab)
	knocks, refused := stop()
	t.Logf("%d requests of /health during two changes of the edge", knocks)
	assert.Greater(t, knocks, int64(20))
	assert.Zero(t, refused, "requests failed while the edge's configuration changed")
	assert.Equal(t, started, d.starts(t), "a container was restarted")
	assert.Equal(t, "0.7.0", d.version(t, "/api/v1/messages?timeout=0"))
}

// knock requests /health over and over until it is stopped, and counts.
func (d *deployment) knock(t *testing.T) (stop func() (knocks, refused int64)) {
	t.Helper()
	var knocks, refused atomic.Int64
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-t.Context().Done(): // the test gave up before it asked to stop
				return
			case <-time.After(150 * time.Millisecond):
			}
			answer, err := d.client.Do(t.Context(), http.MethodGet, "/health", "", nil)
			knocks.Add(1)
			if err != nil || answer.Status != http.StatusOK {
				refused.Add(1)
				t.Logf("GET /health: status %d, %v", answer.Status, err)
			}
		}
	}()
	return func() (int64, int64) {
		close(done)
		<-ended
		return knocks.Load(), refused.Load()
	}
}

// grow makes the database's volume larger, under the running database.
func (d *deployment) grow(t *testing.T) {
	status, err := os.ReadFile("/proc/1/status")
	require.NoError(t, err)
	if !mayGrow(t, string(status)) {
		t.Skip("this machine has no CAP_SYS_RESOURCE to give, without which no kernel grows a mounted ext4; the step itself is tested on dry hosts")
	}
	started := d.starts(t)
	before := d.capacity(t)
	roles := smallestRoles(d.cloud)
	roles["db"].(map[string]any)["volumeGb"] = 12
	require.NoError(t, d.Configure(t.Context(), d.Settings.With("construct:roles", roles)))
	up(t, d.Lab)
	assert.Greater(t, d.capacity(t), before, "the file system did not grow with its volume")
	assert.Equal(t, started, d.starts(t), "a container was restarted")
}

// mayGrow tells whether a process status has CAP_SYS_RESOURCE in its bounding
// set (capabilities(7)).
func mayGrow(t *testing.T, status string) bool {
	t.Helper()
	const sysResource = 24
	_, after, found := strings.Cut(status, "CapBnd:")
	require.True(t, found)
	set, err := strconv.ParseUint(strings.Fields(after)[0], 16, 64)
	require.NoError(t, err)
	return set>>sysResource&1 == 1
}

// capacity is the size of the database's file system in MB.
func (d *deployment) capacity(t *testing.T) int {
	t.Helper()
	out := d.on(t, "db", "df --output=size -BM /srv/construct | tail -n 1")
	mb, err := strconv.Atoi(strings.Trim(strings.TrimSpace(out), "M"))
	require.NoError(t, err)
	return mb
}
