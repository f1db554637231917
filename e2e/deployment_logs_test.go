package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/construct-server/infra/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// collected are services whose lines have to arrive, by the role whose host has
// the agent: each writes some by itself when it starts.
var collected = map[string]string{
	"gateway": "caddy", "app": "user-service", "db": "postgres", "message": "messaging-service", "media": "prometheus",
}

// hasLogs is whether a cloud's deployment collects logs: when soaking, and where
// the smallest message server has room for an agent.
func hasLogs(cloud config.Cloud) bool {
	return cloud == config.Hetzner && soaking()
}

// logs reads in Loki what containers of each host wrote and who logged in.
func (d *deployment) logs(t *testing.T) {
	for _, role := range slices.Sorted(maps.Keys(collected)) {
		host := d.servers[role].Name
		for _, query := range []string{
			fmt.Sprintf(`{host=%q,service=%q}`, host, collected[role]),
			fmt.Sprintf(`{host=%q,service="host"} |= "Accepted publickey"`, host),
		} {
			assert.EventuallyWithT(t, func(c *assert.CollectT) {
				lines, err := d.logLines(t, query)
				require.NoError(c, err)
				assert.NotEmpty(c, lines, query)
			}, time.Minute, 2*time.Second)
		}
	}
	// Short: what could be somebody's identity is masked in the access log.
	marker := fmt.Sprintf("no-such-page-%d", time.Now().Unix()%100_000)
	_, err := d.user.Do(t.Context(), "GET", "/"+marker, nil)
	require.NoError(t, err)
	assert.EventuallyWithT(t, func(c *assert.CollectT) {
		lines, err := d.logLines(t, `{service="caddy"} |= "`+marker+`"`)
		require.NoError(c, err)
		assert.Len(c, lines, 1, "a request's line in the access log")
	}, time.Minute, 2*time.Second)
}

// logLines asks Loki, from a host that is not its own.
func (d *deployment) logLines(t *testing.T, query string) ([]string, error) {
	t.Helper()
	out := d.on(t, "db", "curl --fail --silent --show-error 'http://media.internal:3100/loki/api/v1/query_range?limit=100&query="+url.QueryEscape(query)+"'")
	var answer struct {
		Data struct {
			Result []struct{ Values [][2]string }
		}
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		return nil, fmt.Errorf("decode %q: %w", out, err)
	}
	var lines []string
	for _, stream := range answer.Data.Result {
		for _, value := range stream.Values {
			lines = append(lines, value[1])
		}
	}
	return lines, nil
}
