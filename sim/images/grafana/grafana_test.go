package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func write(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
}

func TestAPI(t *testing.T) {
	t.Parallel()
	prometheus := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("asked " + r.URL.Path))
	}))
	t.Cleanup(prometheus.Close)
	dir := t.TempDir()
	write(t, dir+"/datasources/a.yaml", "datasources:\n- {name: Prometheus, uid: prom, type: prometheus, url: \"${PROM}\"}\n")
	write(t, dir+"/dashboards/a.yaml", "providers:\n- {folder: Construct, type: file, options: {path: "+dir+"/json}}\n")
	write(t, dir+"/json/o.json", `{"uid":"overview","title":"Construct overview"}`)
	write(t, dir+"/json/broken.json", `{`)
	p, err := loadProvisioning(dir, func(k string) string { return map[string]string{"PROM": prometheus.URL}[k] })
	require.NoError(t, err)
	h := newAPI(&settings{adminUser: "admin"}, digest("secret"), p)
	ask := func(path, password string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		if password != "" {
			r.SetBasicAuth("admin", password)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	require.Equal(t, 200, ask("/api/health", "").Code)
	require.Equal(t, 401, ask("/api/datasources", "").Code)
	require.Equal(t, 401, ask("/api/datasources", "admin").Code)
	require.Contains(t, ask("/api/datasources", "secret").Body.String(), prometheus.URL)
	require.Equal(t, 200, ask("/api/datasources/uid/prom/health", "secret").Code)
	require.Equal(t, 404, ask("/api/datasources/uid/other/health", "secret").Code)
	require.Equal(t, "asked /api/v1/query", ask("/api/datasources/proxy/uid/prom/api/v1/query", "secret").Body.String())
	require.Contains(t, ask("/api/search", "secret").Body.String(), `"uid":"overview"`)
	require.Equal(t, 200, ask("/api/dashboards/uid/overview", "secret").Code)
	require.Equal(t, 501, ask("/api/annotations", "secret").Code)
}

func TestPasswordHoldsFromTheFirstStart(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "grafana.db")
	first, err := keepPassword(db, "first")
	require.NoError(t, err)
	again, err := keepPassword(db, "second")
	require.NoError(t, err)
	require.Equal(t, first, again)
}

func TestSettings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir+"/grafana.ini", "[server]\nhttp_port = 3001\n[security]\nadmin_password = $__file{"+dir+"/pw}\n[log]\nmode = console\n")
	write(t, dir+"/pw", "from file\n")
	env := map[string]string{"GF_PATHS_CONFIG": dir + "/grafana.ini", "GF_SERVER_HTTP_ADDR": "127.0.0.1"}
	s, err := loadSettings(func(k string) string { return env[k] })
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:3001", s.listen)
	require.Equal(t, "from file", s.adminPassword)
	require.True(t, s.ignored["log.mode"])
	env["GF_SECURITY_ADMIN_PASSWORD__FILE"] = dir + "/none"
	_, err = loadSettings(func(k string) string { return env[k] })
	require.ErrorContains(t, err, "security.admin_password")
}
