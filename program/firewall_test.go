package program_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/stacks"
)

// rulesetOf is what a host's firewall command brings, behind the line that
// names the server.
func rulesetOf(t *testing.T, r *run, role stacks.Role) string {
	t.Helper()
	stdin := r.named(t, commandType, string(role)+"-1-firewall").Inputs["stdin"]
	require.False(t, stdin.IsSecret(), "rules are for reading")
	_, rules, found := strings.Cut(stdin.StringValue(), "\n")
	require.True(t, found)
	return rules
}

// nft itself reads every ruleset that a deployment ships.
func TestRulesetsPassNft(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("nft --check needs root")
	}
	for _, program := range []string{"nft", "unshare"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed (make packages)", program)
		}
	}
	for name, where := range clouds() {
		for variant, changes := range map[string]map[string]any{"": where, "-no-media": withoutMedia(where)} {
			t.Run(name+variant, func(t *testing.T) {
				t.Parallel()
				r := mustPreview(t, changes)
				for _, role := range stacks.Roles(variant == "") {
					nft := exec.CommandContext(t.Context(), "unshare", "--net", "nft", "--check", "--file", "-")
					nft.Stdin = strings.NewReader(rulesetOf(t, r, role))
					out, err := nft.CombinedOutput()
					require.NoError(t, err, "%s: %s", role, out)
				}
			})
		}
	}
}

// Each host is told its own address and its peers', as its cloud gave them.
func TestRulesetsNameTheFleetsAddresses(t *testing.T) {
	t.Parallel()
	app, db := privateAddress("app-1"), privateAddress("db-1")
	assert.Contains(t, rulesetOf(t, mustPreview(t, onDigitalOcean()), stacks.DB), "ip saddr "+app+" ip daddr "+db+" tcp dport 5432 ")
	assert.Contains(t, rulesetOf(t, mustPreview(t, onHetzner()), stacks.DB), "ip saddr 10.20.0.64 ip daddr 10.20.0.96 tcp dport 5432 ")
}

// What a setting names on a port of its own may be dialled by who needs it.
func TestRulesetsOpenTheWayToWhatIsConfigured(t *testing.T) {
	t.Parallel()
	where := also(onHetzner(), "construct:imageMirror", "mirror.example.com:5000")
	where = also(where, "construct:kafka", map[string]any{"brokers": []string{"broker.example.com:9093"}})
	r := mustPreview(t, where)
	for _, role := range stacks.Roles(true) {
		rules := rulesetOf(t, r, role)
		assert.Contains(t, rules, "\t\ttcp dport 5000 counter accept", "%s pulls images", role)
		assert.Equal(t, role == stacks.Message, strings.Contains(rules, "tcp dport 9093 "), "%s and the brokers", role)
	}
}

// No port is published before the firewall holds; rules know every address.
func TestFirewallsComeBeforeReleases(t *testing.T) {
	t.Parallel()
	eachCloud(t, nil, func(t *testing.T, r *run) {
		for _, role := range []string{"gateway", "app", "db", "message", "media"} {
			assert.True(t, r.ancestors(t, commandType, role+"-1-release")[commandType+" "+role+"-1-firewall"], role)
			assert.True(t, r.ancestors(t, commandType, role+"-1-firewall")[commandType+" "+role+"-1-setup"], role)
		}
	})
}
