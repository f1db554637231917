package e2e

import (
	"maps"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/e2e/lab"
)

// mediaOff is a configuration without the media server.
func mediaOff(s lab.Settings) lab.Settings {
	roles := maps.Clone(s["construct:roles"].(map[string]any))
	roles["media"] = map[string]any{"enabled": false}
	return s.With("construct:roles", roles)
}

// withoutMedia switches media off and expects nothing of it to be left: no
// server, rule or record in the cloud, and nothing in what a host is sent last.
func withoutMedia(t *testing.T, l *lab.Lab) {
	t.Helper()
	before := commands(t, l)
	require.NoError(t, l.Configure(t.Context(), mediaOff(l.Settings)))
	up(t, l)
	nothingOfMedia(t, l)
	after := commands(t, l)
	for _, role := range []string{"gateway", "app", "message", "db"} {
		name := "construct-test-" + role + "-1"
		last := map[string]string{} // by what it is, since each says it in its first line
		for _, c := range after.Hosts[name][len(before.Hosts[name]):] {
			last[firstLine(c.Text)] = c.Text
		}
		require.NotEmpty(t, last, "%s was told nothing of it", name)
		for what, text := range last {
			assert.NotContains(t, text, "media", "%s: %s", name, what)
		}
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// nothingOfMedia looks at the cloud and at the outputs.
func nothingOfMedia(t *testing.T, l *lab.Lab) {
	t.Helper()
	var hosts struct{ Hosts []struct{ Name string } }
	require.NoError(t, l.Control.Get(t.Context(), "/hosts", &hosts))
	assert.Len(t, hosts.Hosts, 4)
	outputs, err := l.Stack.Outputs(t.Context())
	require.NoError(t, err)
	assert.NotContains(t, strings.ToLower(toJSON(t, outputs)), "media", "an output still mentions media")
	for kind, list := range resources(t, l) {
		assert.NotContains(t, strings.ToLower(toJSON(t, list)), "media", "%s still mentions media", kind)
	}
}

// withoutMedia is the same where things run: the edge has no such route, no
// packet filter and no resolver knows the server, and nobody measures for it.
func (d *deployment) withoutMedia(t *testing.T) {
	stored, before := d.stored(t), d.Settings
	address := `\b` + regexp.QuoteMeta(d.servers["media"].PrivateIP) + `\b`
	require.Regexp(t, address, d.on(t, "db", "sudo nft list ruleset"), "media's address was in no rule, so that its absence says nothing")
	started := d.starts(t)
	require.NoError(t, d.Configure(t.Context(), mediaOff(d.Settings).With("construct:logs", map[string]any{"enabled": false})))
	report := d.underLoadOf(t, "media switched off", withoutMediaAsked(), func() { up(t, d.Lab) })
	assert.Empty(t, head(report.Failed), "requests that have nothing to do with media failed")
	delete(d.servers, "media")
	d.sameStores(t, started)
	nothingOfMedia(t, d.Lab)
	for _, path := range []string{"/media/" + stored, "/media/upload"} {
		answer, err := d.client.Do(t.Context(), http.MethodGet, path, "", nil)
		require.NoError(t, err)
		assert.Equal(t, http.StatusNotFound, answer.Status, path)
	}
	for role, server := range d.servers {
		assert.NotRegexp(t, address, d.on(t, role, "sudo nft list ruleset"), "%s still has a rule for media", server.Name)
		assert.Empty(t, d.on(t, role, "getent hosts media.internal || true"), "%s still resolves media", server.Name)
		for name := range strings.FieldsSeq(d.on(t, role, "sudo docker ps --all --format '{{.Names}}'")) {
			assert.NotContains(t, name, "exporter", "%s still measures for Prometheus", server.Name)
		}
	}
	assert.NotEmpty(t, d.version(t, "/api/v1/messages?timeout=0"))
	d.delivers(t, d.accept(t, "frank"))
	d.mediaAgain(t, before)
}

// mediaAgain switches media on where the other roles serve.
func (d *deployment) mediaAgain(t *testing.T, s lab.Settings) {
	started := d.starts(t)
	require.NoError(t, d.Configure(t.Context(), s))
	report := d.underLoadOf(t, "media switched on", withoutMediaAsked(), func() { up(t, d.Lab) })
	assert.Empty(t, head(report.Failed), "requests failed when media was added")
	d.sameStores(t, started)
	d.meet(t)
	d.upload(t)
	d.targets(t)
}
