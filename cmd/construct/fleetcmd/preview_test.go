package fleetcmd_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// previewed writes what `pulumi preview --json` prints when the releases of these
// hosts change from one text to another.
func (s *site) previewed(t *testing.T, releases map[string][2]string) string {
	t.Helper()
	state := func(lines string) map[string]any {
		return map[string]any{"inputs": map[string]any{"create": lines + "exec sudo /usr/local/sbin/construct-release apply"}}
	}
	steps := []any{
		map[string]any{"op": "same", "urn": "urn:pulumi:prod::construct::pulumi:pulumi:Stack::construct-prod"},
		map[string]any{"op": "create", "urn": "urn:pulumi:prod::construct::command:remote:Command::app-3-release", "newState": state("# auth-service example.com/a:2 config aa\n")},
	}
	for host, lines := range releases {
		steps = append(steps, map[string]any{
			"op": "update", "urn": "urn:pulumi:prod::construct::command:remote:Command::" + host + "-release",
			"oldState": state(lines[0]), "newState": state(lines[1]),
		})
	}
	data, err := json.Marshal(map[string]any{"steps": steps, "changeSummary": map[string]int{"update": len(releases)}})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "preview.json")
	require.NoError(t, os.WriteFile(file, data, 0o600))
	return file
}

func TestPreviewSaysWhatRestarts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, h := range s.hosts {
		for _, service := range h["services"].([]any) {
			service := service.(map[string]any)
			service["stateful"] = service["name"] == "postgres" || service["name"] == "redpanda"
		}
	}
	s.write(t)
	s.facts["db-1"]["interruption"] = []string{"postgres 4 2026-11-28T03:10:00Z"}
	const caddy = "# caddy example.com/caddy:1 config c1 standin c9\n"
	for name, c := range map[string]struct {
		releases map[string][2]string
		want     []string
	}{
		"nothing": {nil, []string{"services that change: 0; that restart: 0"}},
		"a service is rolled": {
			map[string][2]string{"app-1": {"# auth-service example.com/a:1 config aa\n# user-service u:1 config bb\n", "# auth-service example.com/a:2 config aa\n# user-service u:1 config bb\n"}},
			[]string{"app-1: auth-service is replaced beside the one that serves: example.com/a:1 → example.com/a:2", "services that change: 1; that restart: 0"},
		},
		"a store gets another image": {
			map[string][2]string{"db-1": {"# postgres p:16.4 config aa restart bb\n", "# postgres p:16.6 config aa restart bb\n"}},
			[]string{"db-1: postgres restarts: p:16.4 → p:16.6", "  the last time, 2026-11-28T03:10:00Z, all was healthy again within 4 s", "services that change: 1; that restart: 1"},
		},
		"a store that never did": {
			map[string][2]string{"message-1": {"# redpanda r:1 config aa restart bb\n", "# redpanda r:1 config ac restart bc\n"}},
			[]string{"message-1: redpanda restarts: another configuration", "  it has not restarted for a release before", "services that change: 1; that restart: 1"},
		},
		"a store takes it": {
			map[string][2]string{"db-1": {"# postgres p:16.4 config aa restart bb\n", "# postgres p:16.4 config ac restart bb\n"}},
			[]string{"db-1: postgres takes it while it runs: another configuration", "services that change: 1; that restart: 0"},
		},
		"the edge gets another size": {
			map[string][2]string{"gateway-1": {caddy, strings.NewReplacer("c1", "d1", "c9", "d9").Replace(caddy)}},
			[]string{"gateway-1: caddy is made anew while a stand-in serves: another configuration", "services that change: 1; that restart: 0"},
		},
		"the edge takes it": {
			map[string][2]string{"gateway-1": {caddy, strings.Replace(caddy, "c1", "d1", 1)}},
			[]string{"gateway-1: caddy takes it while it runs: another configuration", "services that change: 1; that restart: 0"},
		},
		"what keeps no data and has no stand-in": {
			map[string][2]string{"media-1": {"# grafana g:1 config aa restart bb\n", "# grafana g:2 config aa restart bb\n"}},
			[]string{"media-1: grafana restarts: g:1 → g:2", "services that change: 1; that restart: 1"},
		},
		"the edge gets another image": {
			map[string][2]string{"gateway-1": {caddy, strings.Replace(caddy, "caddy:1", "caddy:2", 1)}},
			[]string{"gateway-1: caddy is made anew while a stand-in serves: example.com/caddy:1 → example.com/caddy:2", "services that change: 1; that restart: 0"},
		},
		"services come and go": {
			map[string][2]string{"app-1": {"# auth-service a:1 config aa\n", "# user-service u:1 config aa\n"}},
			[]string{"app-1: auth-service goes", "app-1: user-service is new: u:1", "services that change: 2; that restart: 0"},
		},
		"from a version that did not say what restarts": {
			map[string][2]string{"db-1": {"# postgres p:16.4 config aa\n", "# postgres p:16.4 config ac restart bb\n"}},
			[]string{"db-1: postgres restarts: another configuration", "  the last time, 2026-11-28T03:10:00Z, all was healthy again within 4 s", "services that change: 1; that restart: 1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, errOut, code := s.run(t, "", "preview", "--preview", s.previewed(t, c.releases))
			assert.Equal(t, 0, code, errOut)
			assert.Equal(t, c.want, strings.Split(strings.TrimSuffix(out, "\n"), "\n"))
		})
	}
}

// What a preview says of the services does not depend on whether their host
// answers; how long it took the last time does, and it says so.
func TestPreviewOfASilentHost(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, h := range s.hosts {
		if h["name"] == "db-1" {
			h["services"].([]any)[0].(map[string]any)["stateful"] = true
			h["address"] = "10.20.0.99" // nobody's
		}
	}
	s.write(t)
	file := s.previewed(t, map[string][2]string{"db-1": {"# postgres p:1 config aa restart bb\n", "# postgres p:2 config aa restart bb\n"}})
	out, errOut, code := s.run(t, "", "preview", "--preview", file)
	assert.Equal(t, 0, code, errOut)
	assert.Contains(t, out, "db-1: postgres restarts: p:1 → p:2\n  how long the last time took is not known: ")
}

// A machine of CI's has no key for the hosts.
func TestPreviewWithoutALogin(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	file := s.previewed(t, map[string][2]string{"db-1": {"# postgres p:1 config aa restart bb\n", "# postgres p:2 config aa restart bb\n"}})
	out, errOut, code := s.run(t, "", "preview", "--preview", file, "--ssh-private-key", filepath.Join(s.dir, "none"))
	assert.Equal(t, 0, code, errOut)
	assert.Contains(t, out, "db-1: postgres restarts: p:1 → p:2\nHow long services with data were away the last time is not known: read the private key")
	assert.Contains(t, out, "services that change: 1; that restart: 1\n")
}

func TestPreviewThatIsNone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	file := filepath.Join(t.TempDir(), "preview.json")
	require.NoError(t, os.WriteFile(file, []byte("error: no stack selected"), 0o600))
	_, errOut, code := s.run(t, "", "preview", "--preview", file)
	assert.Equal(t, 1, code)
	assert.Contains(t, errOut, "read the preview")
}
