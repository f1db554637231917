package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/e2e/lab"
)

func (d *deployment) https(t *testing.T) {
	answer, err := d.client.Do(t.Context(), http.MethodGet, "/health", "", nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, answer.Status)
	assert.Contains(t, answer.Peer.Issuer.CommonName, "Pebble", "the certificate is not from the ACME directory")
	assert.Equal(t, []string{lab.Domain}, answer.Peer.DNSNames)
}

func (d *deployment) routes(t *testing.T) {
	for _, c := range []struct{ method, path, service string }{
		{http.MethodGet, "/api/v1/auth/challenge", "auth-service"},
		{http.MethodGet, "/api/v1/users/profile", "user-service"},
		{http.MethodGet, "/api/v1/account", "user-service"},
		{http.MethodPost, "/api/v1/keys/upload", "user-service"},
		{http.MethodGet, "/api/v1/messages?timeout=0", "messaging-service"},
		{http.MethodGet, "/api/v1/media/token", "messaging-service"},
		{http.MethodPut, "/api/v1/notifications/preferences", "notification-service"},
	} {
		answer, err := d.user.Do(t.Context(), c.method, c.path, nil)
		require.NoError(t, err)
		assert.Equal(t, c.service, answer.Service, "%s %s: status %d", c.method, c.path, answer.Status)
	}
	answer, err := d.user.Do(t.Context(), http.MethodGet, "/metrics", nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusNotFound, answer.Status, "metrics are public")
}

func (d *deployment) message(t *testing.T) {
	text := base64.StdEncoding.EncodeToString([]byte("hello, bob"))
	bob, err := d.client.Register(t.Context(), "bob")
	require.NoError(t, err)
	id, err := d.user.Send(t.Context(), bob.ID, text)
	require.NoError(t, err)
	messages, err := bob.Poll(t.Context(), "", 30)
	require.NoError(t, err)
	require.Len(t, messages, 1)
	assert.Equal(t, id, messages[0].ID)
	assert.Equal(t, d.user.ID, messages[0].SenderID)
	assert.Equal(t, text, messages[0].Ciphertext)

	// It went through the broker, and the worker wrote it to the primary.
	topic := d.on(t, "message", "sudo docker exec construct-redpanda-1 rpk topic describe construct-messages -p")
	assert.True(t, slices.ContainsFunc(strings.Split(topic, "\n"), endsAboveZero), "no partition has a record:\n%s", topic)
	assert.Equal(t, "1", d.redis(t, "db", "primary", "XLEN", "delivery_queue:offline:"+bob.ID))
}

// endsAboveZero tells whether a partition's line of `rpk topic describe -p`
// ends in a high watermark above zero.
func endsAboveZero(line string) bool {
	fields := strings.Fields(line)
	return len(fields) > 1 && strings.Trim(fields[len(fields)-1], "0123456789") == "" && fields[len(fields)-1] != "0"
}

// redis runs a command as the operator of that host: a password in the test's own
// command would be in the host's logs.
func (d *deployment) redis(t *testing.T, role, which string, words ...string) string {
	t.Helper()
	out := d.on(t, role, "sudo docker exec construct-redis-"+which+"-1 bash /etc/redis/current/admin.sh "+strings.Join(words, " "))
	return strings.TrimSpace(out)
}

func (d *deployment) row(t *testing.T) {
	out := d.on(t, "db", "sudo docker exec construct-postgres-1 psql -U postgres -d construct -Atc \"SELECT id FROM users WHERE username = 'alice'\"")
	assert.Equal(t, d.user.ID, strings.TrimSpace(out))
}

func (d *deployment) replica(t *testing.T) {
	primary := d.redis(t, "db", "primary", "INFO", "replication")
	assert.Contains(t, primary, "role:master")
	assert.Contains(t, primary, "state=online", "no replica follows the primary")
	d.redis(t, "db", "primary", "SET", "e2e:replicated", "yes")
	require.Eventually(t, func() bool { return d.redis(t, "message", "replica", "GET", "e2e:replicated") == "yes" },
		10*time.Second, 500*time.Millisecond, "what was written to the primary is not on the replica")
	info := d.on(t, "message", "sudo docker exec construct-redis-replica-1 bash /etc/redis/current/admin.sh INFO replication")
	assert.Contains(t, info, "role:slave")
	assert.Contains(t, info, "master_link_status:up")
}

func (d *deployment) upload(t *testing.T) {
	id := d.stored(t)
	assert.Contains(t, d.on(t, "media", "sudo find /srv/construct -type f"), id, "the file is not on the volume")
}

// stored uploads a file, reads it back and returns its id.
func (d *deployment) stored(t *testing.T) string {
	t.Helper()
	content := bytes.Repeat([]byte("picture "), 64<<10) // 512 KB
	token, err := d.user.UploadToken(t.Context())
	require.NoError(t, err)
	answer, err := d.client.Upload(t.Context(), "/media/upload", token, content)
	require.NoError(t, err)
	var stored struct{ ID string }
	require.NoError(t, answer.Decode(&stored))
	answer, err = d.client.Do(t.Context(), http.MethodGet, "/media/"+stored.ID, "", nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, answer.Status)
	assert.True(t, bytes.Equal(content, answer.Body), "what was read differs from what was uploaded")
	return stored.ID
}

// targets waits until every target has been scraped and every probe succeeds.
func (d *deployment) targets(t *testing.T) {
	var problems []string
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(5 * time.Second) {
		if problems = d.targetProblems(t); len(problems) == 0 {
			return
		}
		if time.Now().After(deadline) {
			require.Empty(t, problems)
		}
	}
}

func (d *deployment) targetProblems(t *testing.T) []string {
	t.Helper()
	const wget = "sudo docker exec construct-prometheus-1 wget -q -O - "
	var answer struct {
		Data struct {
			ActiveTargets []struct {
				Health, LastError string
				Labels            map[string]string
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(d.on(t, "media", wget+"'http://127.0.0.1:9090/api/v1/targets?state=active'")), &answer))
	require.GreaterOrEqual(t, len(answer.Data.ActiveTargets), 20)
	var problems []string
	for _, target := range answer.Data.ActiveTargets {
		if target.Health != "up" {
			problems = append(problems, fmt.Sprintf("%v is %s: %s", target.Labels, target.Health, target.LastError))
		}
	}
	failing := d.on(t, "media", wget+"'http://127.0.0.1:9090/api/v1/query?query=probe_success==0'")
	if !strings.Contains(failing, `"result":[]`) {
		problems = append(problems, "a health endpoint does not answer the blackbox exporter: "+failing+"\nof the public one it says: "+d.publicProbe(t))
	}
	return problems
}

// publicProbe is the blackbox exporter's own account of the public probe, and
// what its host knows of the name and of the way.
func (d *deployment) publicProbe(t *testing.T) string {
	t.Helper()
	const in = "sudo docker exec construct-prometheus-1 "
	gateway := d.servers["gateway"].PublicIP
	return d.on(t, "media", strings.Join([]string{
		in + "wget -q -O - 'http://blackbox-exporter:9115/probe?module=public&debug=true&target=https://" + lab.Domain + "/health' | head -20",
		in + "nslookup " + lab.Domain,
		"cat /run/construct-dns/upstream.conf; ip -4 neigh; ip -4 route get " + gateway,
		"curl -sk -m 5 -o /dev/null -w '%{http_code} %{errormsg}\\n' --resolve " + lab.Domain + ":443:" + gateway + " https://" + lab.Domain + "/health",
		"true",
	}, "; "))
}
