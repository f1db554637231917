package seriescmd_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/cmd/construct/seriescmd"
)

// asked is one selector of a query, and the number that its answer carries.
var asked = regexp.MustCompile(`label_replace\(count\((.*?)\), "selector", "(\d+)"`)

// prometheus answers as one that has every series but those with a word of
// missing in them, and one rule in a group.
func prometheus(t *testing.T, group string, missing ...string) string {
	t.Helper()
	reply := func(w http.ResponseWriter, data any) {
		assert.NoError(t, json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": data}))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/rules", func(w http.ResponseWriter, _ *http.Request) {
		rule := map[string]any{"name": "Down", "query": "up == 0", "health": "ok"}
		reply(w, map[string]any{"groups": []any{map[string]any{"name": group, "rules": []any{rule}}}})
	})
	mux.HandleFunc("GET /api/v1/query", func(w http.ResponseWriter, r *http.Request) {
		query, err := url.QueryUnescape(r.URL.Query().Get("query"))
		assert.NoError(t, err)
		result := []any{}
		for _, one := range asked.FindAllStringSubmatch(query, -1) {
			gone := false
			for _, word := range missing {
				gone = gone || strings.Contains(one[1], word)
			}
			if !gone {
				result = append(result, map[string]any{"metric": map[string]string{"selector": one[2]}})
			}
		}
		reply(w, map[string]any{"result": result})
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func TestCheckSeries(t *testing.T) {
	t.Parallel()
	dead := httptest.NewServer(nil)
	dead.Close()
	for name, c := range map[string]struct {
		address       string
		says, problem string
	}{
		"all is there":     {prometheus(t, "broker"), "every alert and every panel has its series", ""},
		"one is not":       {prometheus(t, "broker", "redis_memory_used_bytes"), "nothing produces redis_memory_used_bytes", "references to series"},
		"no broker":        {prometheus(t, "broker", "redpanda_"), "dashboard construct-broker", "references to series"},
		"another's broker": {prometheus(t, "hosts", "redpanda_"), "every alert and every panel has its series", ""},
		"no tunnel":        {dead.URL, "", "is the tunnel open?"},
		"something else":   {httptest.NewServer(http.NotFoundHandler()).URL, "", "status 404 (want 200)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			cmd := seriescmd.New()
			cmd.SetArgs([]string{"--prometheus", c.address + "/"})
			cmd.SetOut(&out)
			cmd.SetErr(&out)
			err := cmd.ExecuteContext(t.Context())
			assert.Contains(t, out.String(), c.says)
			if c.problem == "" {
				require.NoError(t, err, out.String())
			} else {
				require.ErrorContains(t, err, c.problem)
			}
		})
	}
}
