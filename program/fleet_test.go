package program_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/construct-server/infra/deploy"
)

func TestFleetOutputTellsHowHostsAreReachedAndWhatTheyRun(t *testing.T) {
	t.Parallel()
	r := mustPreview(t, also(onHetzner(), "construct:ssh", map[string]any{"port": 2222}))
	fleet := r.outputs["fleet"].(map[string]any)
	assert.Equal(t, "construct", fleet["user"])
	assert.Equal(t, 2222, fleet["port"])
	hosts := fleet["hosts"].([]any)
	require.Len(t, hosts, 5)
	byName := map[string]map[string]any{}
	for _, h := range hosts {
		host := h.(map[string]any)
		byName[host["name"].(string)] = host
		_, want, err := deploy.HostKey(r.cfg.Secrets.HostKeySeed, host["server"].(string))
		require.NoError(t, err)
		assert.Equal(t, want, host["hostKey"], "the key that every connection is pinned to")
		_, _, _, _, err = ssh.ParseAuthorizedKey([]byte(want))
		require.NoError(t, err)
	}
	gateway, db := byName["gateway-1"], byName["db-1"]
	assert.Equal(t, "203.0.113.10", gateway["address"])
	assert.Empty(t, gateway["via"])
	assert.Equal(t, "10.20.0.96", db["address"])
	assert.Equal(t, "gateway-1", db["via"])
	assert.Equal(t, "construct-prod-db-1", db["server"])
	// The digests are those that the commands put there.
	release := r.named(t, "command:remote:Command", "db-1-release")
	assert.Contains(t, text(release.Inputs, "create"), "apply "+db["release"].(string))
	filter := r.named(t, "command:remote:Command", "db-1-firewall")
	assert.Contains(t, text(filter.Inputs, "create"), "apply "+db["firewall"].(string))
	for _, s := range db["services"].([]any) {
		service := s.(map[string]any)
		said := fmt.Sprintf(`(?m)^# %s %s config %s restart [0-9a-f]{12}$`, service["name"], regexp.QuoteMeta(service["image"].(string)), service["config"])
		assert.Regexp(t, said, text(release.Inputs, "create"))
	}
}

func TestFleetOutputWithDirectAccess(t *testing.T) {
	t.Parallel()
	r := mustPreview(t, also(onHetzner(), "construct:ssh", map[string]any{"direct": true}))
	for _, h := range r.outputs["fleet"].(map[string]any)["hosts"].([]any) {
		host := h.(map[string]any)
		assert.Empty(t, host["via"])
		assert.NotContains(t, host["address"], "10.20.", "a private address is not dialled from outside")
	}
}
