package e2e

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/e2e/outside"
)

// address is the test's own, as the gateway should see it.
func (d *deployment) address(t *testing.T) string {
	t.Helper()
	conn, err := net.Dial("udp", net.JoinHostPort(d.servers["gateway"].PublicIP, "443")) // sends nothing
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	return conn.LocalAddr().(*net.UDPAddr).IP.String()
}

// identity forges who asks, in the headers that services believe. What reaches
// them is the edge's and the gateway's own, through Docker's ports.
func (d *deployment) identity(t *testing.T) {
	const open, closed = "/api/v1/users/username/availability?username=mallory", "/api/v1/users/profile"
	for _, c := range []struct{ path, token, user string }{{open, "", ""}, {closed, d.user.Token, d.user.ID}} {
		for _, name := range []string{"X-User-Id", "x-user-id", "X_User_Id", "X-USER-ID"} {
			header := http.Header{name: {"forged"}, "X-Device-Id": {"forged"}, "X-Forwarded-For": {"192.0.2.66, 192.0.2.67"}, "Forwarded": {"for=192.0.2.66"}}
			if c.token != "" {
				header.Set("Authorization", "Bearer "+c.token)
			}
			answer, err := d.client.Ask(t.Context(), http.MethodGet, c.path, header)
			require.NoError(t, err)
			assert.Equal(t, "user-service", answer.Service, "%s: status %d: %s", c.path, answer.Status, answer.Body)
			assert.Equal(t, c.user, answer.Header.Get("X-Construct-User"), "%s with a forged %s", c.path, name)
			assert.Empty(t, answer.Header.Get("X-Construct-Device"), "%s with a forged X-Device-Id", c.path)
			assert.Equal(t, d.address(t), answer.Header.Get("X-Construct-Client"), "%s with a forged X-Forwarded-For", c.path)
		}
	}
}

// flood asks for challenges without an end, from one of the other servers: it is
// told when to come back, and nobody else notices.
func (d *deployment) flood(t *testing.T) {
	const path = "/api/v1/auth/challenge"
	said := d.on(t, "message", "for i in $(seq 30); do curl -sk -m 10 -o /dev/null -w '%{http_code} %header{retry-after}\\n' "+
		"--resolve "+lab.Domain+":443:"+d.servers["gateway"].PublicIP+" https://"+lab.Domain+path+"; done")
	lines := strings.Split(strings.TrimSpace(said), "\n")
	require.Len(t, lines, 30)
	assert.Equal(t, "200", strings.TrimSpace(lines[0]))
	assert.Regexp(t, `^429 [1-9]\d*$`, strings.TrimSpace(lines[29]), "all:\n%s", said)
	answer, err := d.client.Do(t.Context(), http.MethodGet, path, "", nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, answer.Status, "another address is refused for it")
}

// logsClients expects the client's own address in Caddy's access log, not that
// of a proxy of Docker's.
func (d *deployment) logsClients(t *testing.T) {
	const path = "/api/v1/users/username/availability"
	_, err := d.client.Do(t.Context(), http.MethodGet, path+"?username=nobody", "", nil)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		for line := range strings.Lines(d.on(t, "gateway", "sudo docker logs --tail 200 construct-caddy-1 2>&1")) {
			var entry struct {
				Request struct {
					URI      string
					RemoteIP string `json:"remote_ip"`
				}
			}
			if json.Unmarshal([]byte(line), &entry) == nil && strings.HasPrefix(entry.Request.URI, path) {
				return entry.Request.RemoteIP == d.address(t)
			}
		}
		return false
	}, 20*time.Second, time.Second, "Caddy does not log the client's address %s", d.address(t))
}

// http3 asks by QUIC, through Docker's UDP ports.
func (d *deployment) http3(t *testing.T) {
	client, end, err := outside.HTTP3(lab.Domain, d.servers["gateway"].PublicIP, d.rootPEM)
	require.NoError(t, err)
	defer func() { assert.NoError(t, end()) }()
	answer, err := client.Do(t.Context(), http.MethodGet, "/api/v1/users/profile", d.user.Token, nil)
	require.NoError(t, err)
	assert.Equal(t, "HTTP/3.0", answer.Proto)
	assert.Equal(t, http.StatusOK, answer.Status)
	assert.Equal(t, d.user.ID, answer.Header.Get("X-Construct-User"))
	assert.Equal(t, d.address(t), answer.Header.Get("X-Construct-Client"), "QUIC comes from another address")
}
