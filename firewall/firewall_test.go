package firewall

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/cloud"
	"github.com/construct-server/infra/stacks"
)

var update = flag.Bool("update", false, "rewrite generated files")

func whole() Options {
	return Options{SSHPort: 22, Features: stacks.Features{Media: true}}
}

func admits(rows []Row, from, to stacks.Role, protocol cloud.Protocol, port int) bool {
	for _, r := range rows {
		if r.From == from && r.To == to && r.Protocol == protocol && r.Port == port {
			return true
		}
	}
	return false
}

// What the services are known to need (facts on the services, section 1 and
// 4), independently of how they are declared.
func TestMatrixAdmitsWhatServicesNeed(t *testing.T) {
	t.Parallel()
	rows := Matrix(whole())
	for _, c := range []struct {
		from, to stacks.Role
		port     int
	}{
		{Internet, stacks.Gateway, 80}, {Internet, stacks.Gateway, 443},
		{stacks.Gateway, stacks.App, 8001}, {stacks.Gateway, stacks.App, 8002}, {stacks.Gateway, stacks.App, 8003},
		{stacks.Gateway, stacks.Message, 8004}, {stacks.Gateway, stacks.Media, 8005},
		{stacks.Gateway, stacks.DB, 6379},
		{stacks.App, stacks.DB, 5432}, {stacks.App, stacks.DB, 6379},
		{stacks.Message, stacks.DB, 5432}, {stacks.Message, stacks.DB, 6379},
		{stacks.Media, stacks.DB, 9187}, {stacks.Media, stacks.DB, 9121}, {stacks.Media, stacks.Message, 9121},
		{stacks.Media, stacks.Message, 9644}, {stacks.Media, stacks.Gateway, 2020},
		{stacks.Media, stacks.Media, 9100}, {stacks.Media, stacks.App, 9100}, {stacks.Media, stacks.DB, 9100}, {stacks.Media, stacks.Gateway, 9100}, {stacks.Media, stacks.Message, 9100},
		{Operators, stacks.Gateway, 22}, {stacks.Gateway, stacks.DB, 22}, {stacks.Gateway, stacks.Media, 22},
	} {
		assert.True(t, admits(rows, c.from, c.to, cloud.TCP, c.port), "%s → %s tcp/%d", c.from, c.to, c.port)
	}
	assert.True(t, admits(rows, Internet, stacks.Gateway, cloud.UDP, 443), "HTTP/3")
}

// The other half: what must never be open, however the services are declared.
func TestMatrixOpensNothingElse(t *testing.T) {
	t.Parallel()
	public := map[int]bool{80: true, 443: true}
	for _, r := range Matrix(whole()) {
		if r.From == Internet {
			assert.Equal(t, stacks.Gateway, r.To, "%+v", r)
			assert.True(t, public[r.Port], "%+v", r)
		}
		if r.To == Internet && r.Protocol != cloud.ICMP {
			assert.Contains(t, []int{53, 80, 123, 443}, r.Port, "%+v", r)
		}
		if r.From == Operators {
			assert.Equal(t, Row{Operators, stacks.Gateway, cloud.TCP, 22, r.Why, false, false}, r, "SSH enters through the gateway only")
		}
		if r.To == stacks.DB && (r.Port == 5432 || r.Port == 6379) {
			assert.Contains(t, []stacks.Role{stacks.Gateway, stacks.App, stacks.Message}, r.From, "%+v", r)
		}
		assert.NotEqual(t, 9092, r.Port, "the broker's clients are on its own host: %+v", r)
		assert.NotEmpty(t, r.Why, "%+v", r)
		assert.GreaterOrEqual(t, position(r.From), 0, "unknown endpoint: %+v", r)
		assert.GreaterOrEqual(t, position(r.To), 0, "unknown endpoint: %+v", r)
	}
}

func TestMatrixWithoutMediaNeverNamesIt(t *testing.T) {
	t.Parallel()
	o := whole()
	o.Features.Media = false
	for _, r := range Matrix(o) {
		assert.NotContains(t, []stacks.Role{r.From, r.To}, stacks.Media, "%+v", r)
		assert.NotEqual(t, 9100, r.Port, "nobody scrapes: %+v", r)
	}
}

// Agents reach Loki, and Prometheus the agents, where logs are collected.
func TestMatrixOfLogs(t *testing.T) {
	t.Parallel()
	for _, logs := range []bool{true, false} {
		o := whole()
		o.Features.Logs = logs
		rows := Matrix(o)
		for _, role := range stacks.Roles(true) {
			assert.Equal(t, logs && role != stacks.Media, admits(rows, role, stacks.Media, cloud.TCP, 3100), "%s → media tcp/3100", role)
			assert.Equal(t, logs && role != stacks.Media, admits(rows, stacks.Media, role, cloud.TCP, 8888), "media → %s tcp/8888", role)
		}
		assert.False(t, admits(rows, Internet, stacks.Media, cloud.TCP, 3100))
	}
}

func TestMatrixDirectSSH(t *testing.T) {
	t.Parallel()
	o := whole()
	o.SSHDirect, o.SSHPort = true, 2222
	rows := Matrix(o)
	for _, role := range stacks.Roles(true) {
		assert.True(t, admits(rows, Operators, role, cloud.TCP, 2222), "operators → %s", role)
		assert.False(t, admits(rows, stacks.Gateway, role, cloud.TCP, 2222), "gateway → %s", role)
	}
}

func peers() Peers {
	return Peers{Roles: stacks.Roles(true), Operators: []netip.Prefix{netip.MustParsePrefix("203.0.113.7/32")}}
}

func TestCloudRules(t *testing.T) {
	t.Parallel()
	anywhere := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	matrix := []Row{
		{Internet, stacks.Gateway, cloud.TCP, 443, "public entrance", false, false},
		{stacks.Media, stacks.Gateway, cloud.TCP, 443, "probe", false, false},
		{Operators, stacks.Gateway, cloud.TCP, 22, "ssh", false, false},
		{stacks.Gateway, stacks.DB, cloud.TCP, 6379, "redis", false, false},
		{stacks.App, stacks.DB, cloud.TCP, 6379, "redis", false, false},
		{Fleet, Fleet, cloud.ICMP, 0, "ping", false, false},
		{Fleet, Internet, cloud.UDP, 0, "dns", false, false},
	}
	all := []string{"app", "db", "gateway", "media", "message"}
	ping := cloud.Rule{Direction: cloud.Inbound, Protocol: cloud.ICMP, Roles: all, Why: "ping"}
	pingOut := cloud.Rule{Direction: cloud.Outbound, Protocol: cloud.ICMP, Roles: all, Why: "ping"}
	out := cloud.Rule{Direction: cloud.Outbound, Protocol: cloud.UDP, Prefixes: anywhere, Why: "dns"}
	redisOut := cloud.Rule{Direction: cloud.Outbound, Protocol: cloud.TCP, Port: 6379, Roles: []string{"db"}, Why: "redis"}
	assert.Equal(t, []cloud.Rule{
		ping,
		{Direction: cloud.Inbound, Protocol: cloud.TCP, Port: 22, Prefixes: peers().Operators, Why: "ssh"},
		{Direction: cloud.Inbound, Protocol: cloud.TCP, Port: 443, Prefixes: anywhere, Roles: []string{"media"}, Why: "public entrance; probe"},
		pingOut, redisOut, out,
	}, CloudRules(matrix, stacks.Gateway, peers()))
	assert.Equal(t, []cloud.Rule{
		ping,
		{Direction: cloud.Inbound, Protocol: cloud.TCP, Port: 6379, Roles: []string{"app", "gateway"}, Why: "redis"},
		pingOut, out,
	}, CloudRules(matrix, stacks.DB, peers()))
	assert.Equal(t, []cloud.Rule{
		ping, pingOut,
		{Direction: cloud.Outbound, Protocol: cloud.TCP, Port: 443, Roles: []string{"gateway"}, Why: "probe"},
		out,
	}, CloudRules(matrix, stacks.Media, peers()), "nothing listens: nothing opens")
}

// Both clouds refuse a rule that is there twice, long descriptions and more
// than 50 rules.
func TestCloudRulesKeepTheCloudsLimits(t *testing.T) {
	t.Parallel()
	for _, direct := range []bool{false, true} {
		o := whole()
		o.SSHDirect = direct
		for _, role := range stacks.Roles(true) {
			type key struct {
				direction cloud.Direction
				protocol  cloud.Protocol
				port      int
			}
			seen := map[key]bool{}
			rules := CloudRules(Matrix(o), role, peers())
			assert.LessOrEqual(t, len(rules), 50)
			for _, r := range rules {
				assert.LessOrEqual(t, len(r.Why), maxWhy)
				assert.Positive(t, len(r.Prefixes)+len(r.Roles), "%s: a rule without peers: %+v", role, r)
				k := key{r.Direction, r.Protocol, r.Port}
				assert.False(t, seen[k], "%s: twice: %+v", role, r)
				seen[k] = true
			}
		}
	}
}

func TestWhyIsCutAtARune(t *testing.T) {
	t.Parallel()
	r := cloud.Rule{}
	addWhy(&r, strings.Repeat("é", 200))
	assert.LessOrEqual(t, len(r.Why), maxWhy)
	assert.True(t, strings.HasSuffix(r.Why, "é…"), r.Why)
}

// TestDocumentation keeps docs/firewall.md what the matrix says.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "docs", "firewall.md")
	want := Markdown()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err, "run make golden")
	assert.Equal(t, want, string(got), "docs/firewall.md is stale: run make golden")
}
