package e2e

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/e2e/outside"
)

// lose stops a service behind everybody's back, as a mistake at the host would.
func (d *deployment) lose(t *testing.T) {
	d.on(t, "media", "sudo docker stop --time 1 construct-media-service-1")
	answer, err := d.client.Do(t.Context(), http.MethodGet, "/media/00000000-0000-4000-8000-000000000000", "", nil)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, answer.Status, http.StatusInternalServerError, "the service still answers")
}

// told waits for the alert to reach the receiver outside: the rule waits for
// two minutes and Alertmanager for half a minute.
func (d *deployment) told(t *testing.T) {
	require.Eventually(t, func() bool { return d.pager.got("HealthProbeFailed", "media-service", "firing") },
		5*time.Minute, time.Second, "nobody was told that media-service is down")
	d.on(t, "media", "sudo docker start construct-media-service-1")
	d.eventually(t, "media", "media-service")
}

// redisHoldsBack is how long a write that Redis has acknowledged may not be in its
// file yet, while the disk syncs (docs/roles/database.md).
const redisHoldsBack = 2 * time.Second

// crash kills what keeps data as a kernel out of memory would: everything that
// was acknowledged is there when it is back, without a hand.
func (d *deployment) crash(t *testing.T) {
	d.redis(t, "db", "primary", "SET", "e2e:crash", "kept")
	time.Sleep(redisHoldsBack)
	user := d.accept(t, "carol")
	for _, c := range []struct{ role, service string }{
		{"db", "postgres"}, {"db", "redis-primary"}, {"message", "redis-replica"}, {"message", "redpanda"},
	} {
		name := "construct-" + c.service + "-1"
		// Not `docker kill`: that counts as stopped by hand, for good.
		d.on(t, c.role, "sudo sh -c 'kill -9 $(docker inspect -f {{.State.Pid}} "+name+")'")
	}
	for _, c := range []struct{ role, service string }{
		{"db", "postgres"}, {"db", "redis-primary"}, {"message", "redis-replica"}, {"message", "redpanda"},
		{"message", "messaging-service"}, {"app", "auth-service"}, {"gateway", "gateway"},
	} {
		d.eventually(t, c.role, c.service)
	}
	assert.Equal(t, "kept", d.redis(t, "db", "primary", "GET", "e2e:crash"))
	row := d.on(t, "db", "sudo docker exec construct-postgres-1 psql -U postgres -d construct -Atc \"SELECT id FROM users WHERE username = 'carol'\"")
	assert.Equal(t, user.ID, strings.TrimSpace(row))
	d.delivers(t, user)
	d.replica(t)
}

// greeting is what accept sends.
var greeting = base64.StdEncoding.EncodeToString([]byte("hello"))

// accept registers a user and has a message for it accepted.
func (d *deployment) accept(t *testing.T, name string) *outside.User {
	t.Helper()
	user, err := d.client.Register(t.Context(), name)
	require.NoError(t, err)
	_, err = d.user.Send(t.Context(), user.ID, greeting)
	require.NoError(t, err)
	return user
}

// delivers waits for the message that was accepted for a user.
func (d *deployment) delivers(t *testing.T, user *outside.User) {
	t.Helper()
	require.Eventually(t, func() bool {
		messages, err := user.Poll(t.Context(), "", 0)
		return err == nil && len(messages) == 1 && messages[0].Ciphertext == greeting
	}, time.Minute, 2*time.Second, "a message that was accepted is lost")
}

// eventually waits until a container is healthy again.
func (d *deployment) eventually(t *testing.T, role, service string) {
	t.Helper()
	const limit = 2 * time.Minute
	said := ""
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(time.Second) {
		said = strings.TrimSpace(d.on(t, role, "sudo docker inspect -f '{{.State.Status}} {{.State.Health.Status}}' "+
			"$(sudo docker ps -aq --filter label=com.docker.compose.service="+service+")"))
		if said == "running healthy" {
			return
		}
	}
	require.Fail(t, service+" is "+said+" after "+limit.String())
}
