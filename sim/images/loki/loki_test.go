package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/proto"
)

const configuration = `
auth_enabled: false
server: {http_listen_port: 3100}
common: {storage: {filesystem: {chunks_directory: DIRECTORY}}}
schema_config: {configs: [{store: tsdb}]}
compactor: {retention_enabled: true, delete_request_store: filesystem}
limits_config:
  retention_period: 24h
  otlp_config: {resource_attributes: {ignore_defaults: true, attributes_config: [{action: index_label, attributes: [host, service.name]}]}}
`

func configured(t *testing.T, text string) (settings, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "loki.yml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return loadSettings(file)
}

// serve runs the API on what is in the directory.
func serve(t *testing.T, dir string) string {
	t.Helper()
	s, err := configured(t, strings.Replace(configuration, "DIRECTORY", dir, 1))
	require.NoError(t, err)
	store, err := openStore(s.directory, s.retention)
	require.NoError(t, err)
	server := httptest.NewServer(newAPI(s, store))
	t.Cleanup(server.Close)
	return server.URL
}

func attribute(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: words(value)}
}

func words(s string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: s}}
}

// push sends lines, the first at the given time, each a second later.
func push(t *testing.T, base, service string, at time.Time, texts ...string) {
	t.Helper()
	var records []*logs.LogRecord
	for i, s := range texts {
		records = append(records, &logs.LogRecord{TimeUnixNano: uint64(at.Add(time.Duration(i) * time.Second).UnixNano()), Body: words(s)}) //nolint:gosec // positive
	}
	raw, err := proto.Marshal(&logs.LogsData{ResourceLogs: []*logs.ResourceLogs{{
		Resource:  &resource.Resource{Attributes: []*common.KeyValue{attribute("host", "app-1"), attribute("service.name", service), attribute("other", "x")}},
		ScopeLogs: []*logs.ScopeLogs{{LogRecords: records}},
	}}})
	require.NoError(t, err)
	var body bytes.Buffer
	w := gzip.NewWriter(&body)
	_, err = w.Write(raw)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/otlp/v1/logs", &body)
	require.NoError(t, err)
	r.Header.Set("Content-Encoding", "gzip")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusNoContent, resp.StatusCode)
}

func ask(t *testing.T, address string) (int, string) {
	t.Helper()
	resp, err := http.Get(address)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode, string(body)
}

// texts are the lines of an answer, as they come.
func texts(t *testing.T, base, query, more string) []string {
	t.Helper()
	status, body := ask(t, base+"/loki/api/v1/query_range?query="+url.QueryEscape(query)+more)
	require.Equal(t, http.StatusOK, status, body)
	var answer struct {
		Data struct {
			ResultType string
			Result     []struct{ Values [][2]string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &answer))
	assert.Equal(t, "streams", answer.Data.ResultType)
	found := []string{}
	for _, s := range answer.Data.Result {
		for _, v := range s.Values {
			found = append(found, v[1])
		}
	}
	return found
}

func TestLinesAreFoundByLabelTextAndTime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	base := serve(t, dir)
	at := time.Now().Add(-time.Minute)
	push(t, base, "user", at, "a start", "an error: x", "the end")
	push(t, base, "auth", at.Add(-2*time.Hour), "long ago")
	push(t, base, "auth", at.Add(-48*time.Hour), "beyond the retention")
	all := "&start=0&end=" + strconv.FormatInt(time.Now().UnixNano(), 10)
	for query, want := range map[string][]string{
		`{service_name="user"}`:                         {"the end", "an error: x", "a start"},
		`{host="app-1", service_name=~"us.*"} |= "err"`: {"an error: x"},
		`{service_name!="user"} !~ "^x"`:                {"long ago"},
		"{host=`app-1`} |~ \"^(a|long) \" != \"start\"": {"long ago"},
		`{service_name="use"}`:                          {},
		`{other="x"}`:                                   {},
	} {
		assert.Equal(t, want, texts(t, base, query, all), query)
	}
	assert.Equal(t, []string{"the end"}, texts(t, base, `{host="app-1"}`, "&limit=1"))
	assert.Empty(t, texts(t, base, `{service_name="auth"}`, ""), "the last hour is asked for")
	for path, want := range map[string]string{
		"/loki/api/v1/labels":                    `["host","service_name"]`,
		"/loki/api/v1/label/service_name/values": `["auth","user"]`,
		"/loki/api/v1/label/none/values":         `[]`,
		"/ready":                                 "ready",
		"/metrics":                               "loki_distributor_lines_received_total 5",
	} {
		status, body := ask(t, base+path)
		assert.Equal(t, http.StatusOK, status, path)
		assert.Contains(t, strings.ReplaceAll(body, "null", "[]"), want, path)
	}
	assert.Len(t, texts(t, serve(t, dir), `{service_name="user"}`, all), 3, "after a restart")
}

func TestQueriesThatAreNotKnownAreRefused(t *testing.T) {
	t.Parallel()
	base := serve(t, t.TempDir())
	for _, query := range []string{"", "{}", `{a="b"`, `{a=b}`, `{a="b"} | json`, `{a=~"("}`, `rate({a="b"}[1m])`} {
		status, _ := ask(t, base+"/loki/api/v1/query_range?query="+url.QueryEscape(query))
		assert.Equal(t, http.StatusBadRequest, status, query)
	}
	resp, err := http.Post(base+"/otlp/v1/logs", "application/x-protobuf", strings.NewReader("nonsense"))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
	_, metrics := ask(t, base+"/metrics")
	assert.Contains(t, metrics, `loki_discarded_samples_total{reason="malformed"} 1`)
}

// What stops Loki stops its stand-in.
func TestConfigurationsThatLokiRefuses(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]*strings.Replacer{
		"an unknown section":      strings.NewReplacer("auth_enabled", "auth_disabled"),
		"tenants":                 strings.NewReplacer("auth_enabled: false", "auth_enabled: true"),
		"no schema":               strings.NewReplacer("{store: tsdb}", ""),
		"nowhere to note deletes": strings.NewReplacer(", delete_request_store: filesystem", ""),
		"no directory":            strings.NewReplacer("chunks_directory", "rules_directory"),
		"a retention in words":    strings.NewReplacer("24h", "a day"),
	} {
		_, err := configured(t, edit.Replace(configuration))
		require.Error(t, err, name)
	}
	require.ErrorContains(t, run([]string{"-nonsense"}), "-nonsense")
	assert.Equal(t, 0, health(serve(t, t.TempDir())+"/ready"))
	assert.Equal(t, 1, health(serve(t, t.TempDir())+"/nowhere"))
}
