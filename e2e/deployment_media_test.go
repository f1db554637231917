package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// expire makes a stored file older than a message lives. The service looks when
// it starts and every hour.
func (d *deployment) expire(t *testing.T) {
	store := func(content string) string {
		token, err := d.user.UploadToken(t.Context())
		require.NoError(t, err)
		answer, err := d.client.Upload(t.Context(), "/media/upload", token, []byte(content))
		require.NoError(t, err)
		var stored struct{ ID string }
		require.NoError(t, answer.Decode(&stored))
		return stored.ID
	}
	old, young := store("of last week"), store("of the day before yesterday")
	d.on(t, "media", fmt.Sprintf("sudo touch -d '8 days ago' /srv/construct/media/%s && sudo touch -d '2 days ago' /srv/construct/media/%s "+
		"&& sudo docker restart construct-media-service-1", old, young))
	d.eventually(t, "media", "media-service")
	require.Eventually(t, func() bool { return !strings.Contains(d.on(t, "media", "sudo ls /srv/construct/media"), old) },
		time.Minute, time.Second, "a file outlives its message")
	for id, want := range map[string]int{old: http.StatusNotFound, young: http.StatusOK} {
		answer, err := d.client.Do(t.Context(), http.MethodGet, "/media/"+id, "", nil)
		require.NoError(t, err)
		assert.Equal(t, want, answer.Status, "/media/%s", id)
	}
}

// grafana is signed in to with the configured password, and reaches Prometheus.
func (d *deployment) grafana(t *testing.T) {
	password := d.secret("grafanaPassword")
	status, body := d.askGrafana(t, password, "/api/search")
	require.Equal(t, "200", status, body)
	var found []struct{ UID, FolderTitle, FolderUID string }
	require.NoError(t, json.Unmarshal([]byte(body), &found), body)
	assert.GreaterOrEqual(t, len(found), 6)
	for _, one := range found {
		assert.Equal(t, "Construct/construct", one.FolderTitle+"/"+one.FolderUID, one.UID)
	}
	status, body = d.askGrafana(t, password, "/api/datasources/uid/prometheus/health")
	assert.Equal(t, "200", status, body)
	assert.Contains(t, body, `"OK"`)
	status, _ = d.askGrafana(t, "wrong", "/api/search")
	assert.Equal(t, "401", status)
}

// askGrafana asks where an operator's tunnel ends.
func (d *deployment) askGrafana(t *testing.T, password, path string) (status, body string) {
	t.Helper()
	said := d.on(t, "media", "curl -s -m 20 -w '\\n%{http_code}' -u admin:"+password+" http://"+d.servers["media"].PrivateIP+":3000"+path) // gitleaks:allow
	end := strings.LastIndex(said, "\n")
	require.GreaterOrEqual(t, end, 0, said)
	return said[end+1:], said[:end]
}
