package firewall

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/cloud"
	"github.com/construct-server/infra/stacks"
)

// servers are a fleet's addresses, two of them for the app role.
func servers(media bool) map[stacks.Role][]netip.Addr {
	all := map[stacks.Role][]netip.Addr{
		stacks.Gateway: {netip.MustParseAddr("10.20.0.32")},
		stacks.App:     {netip.MustParseAddr("10.20.0.64"), netip.MustParseAddr("10.20.0.65")},
		stacks.DB:      {netip.MustParseAddr("10.20.0.96")},
		stacks.Message: {netip.MustParseAddr("10.20.0.128")},
	}
	if media {
		all[stacks.Media] = []netip.Addr{netip.MustParseAddr("10.20.0.160")}
	}
	return all
}

func hostOf(role stacks.Role, media bool) Host {
	return Host{
		Role: role, Private: servers(media)[role][0], Servers: servers(media),
		Operators: []netip.Prefix{netip.MustParsePrefix("203.0.113.7/32"), netip.MustParsePrefix("2001:db8::/48")},
	}
}

func TestHostRulesGolden(t *testing.T) {
	t.Parallel()
	for _, role := range stacks.Roles(true) {
		rules, err := HostRules(Matrix(whole()), hostOf(role, true))
		require.NoError(t, err)
		again, err := HostRules(Matrix(whole()), hostOf(role, true))
		require.NoError(t, err)
		assert.Equal(t, rules, again, "not a pure function")
		path := filepath.Join("testdata", "host", string(role)+".nft")
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(rules), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err, "run make golden")
		assert.Equal(t, string(want), rules, "%s: run make golden, and look at the difference", path)
	}
}

// Whatever the options are, nft and the kernel take the rulesets.
func TestHostRulesPassNft(t *testing.T) {
	t.Parallel()
	for _, media := range []bool{true, false} {
		for _, direct := range []bool{true, false} {
			o := whole()
			o.Features.Media, o.SSHDirect, o.SSHPort = media, direct, 2222
			o.Outward = []stacks.Flow{{From: stacks.App, To: Internet, Protocol: "tcp", Port: 8200, Why: `Vault "quoted"` + "\n" + strings.Repeat("é", 200)}}
			for _, role := range stacks.Roles(media) {
				h := hostOf(role, media)
				h.Operators = []netip.Prefix{ // overlapping, and a default route
					netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("198.51.100.7/32"),
					netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2001:db8:1::/48"),
				}
				rules, err := HostRules(Matrix(o), h)
				require.NoError(t, err)
				checkNft(t, rules)
			}
		}
	}
}

// checkNft has nft compile a ruleset, in a network namespace of its own where
// the table does not exist. It needs root, as nft itself does.
func checkNft(t *testing.T, rules string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("nft --check needs root")
	}
	for _, program := range []string{"nft", "unshare"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed (make packages)", program)
		}
	}
	nft := exec.CommandContext(t.Context(), "unshare", "--net", "nft", "--check", "--file", "-")
	nft.Stdin = strings.NewReader(rules)
	out, err := nft.CombinedOutput()
	require.NoError(t, err, "%s\n%s", out, rules)
}

func lines(rules, chain string) []string {
	_, after, _ := strings.Cut(rules, "\tchain "+chain+" {\n")
	body, _, _ := strings.Cut(after, "\n\t}")
	var found []string
	for line := range strings.Lines(body) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " comment ")
		found = append(found, line)
	}
	return found
}

// What the database's host may dial is what keeps it running, and nothing
// beside it: a stolen database does not leave by a port of its thief's choice.
func TestDatabaseHostDialsNobodyElse(t *testing.T) {
	t.Parallel()
	rules, err := HostRules(Matrix(whole()), hostOf(stacks.DB, true))
	require.NoError(t, err)
	assert.Equal(t, []string{
		"ip daddr { 10.20.0.32, 10.20.0.64, 10.20.0.65, 10.20.0.96, 10.20.0.128, 10.20.0.160 } meta l4proto icmp counter accept",
		"meta l4proto { icmp, ipv6-icmp } counter accept",
		"tcp dport 53 counter accept",
		"tcp dport 80 counter accept",
		"tcp dport 443 counter accept",
		"udp dport 53 counter accept",
		"udp dport 123 counter accept",
		"counter reject with icmpx admin-prohibited",
	}, lines(rules, "to_outside"))
	out := lines(rules, "container_out")
	assert.Equal(t, []string{
		`oifname "docker0" accept`, `oifname "br-*" accept`, "ip daddr 169.254.0.0/16 counter reject with icmpx admin-prohibited",
	}, slices.DeleteFunc(out[:len(out)-1], func(line string) bool { return strings.HasPrefix(line, "#") }))
	assert.Equal(t, "counter reject with icmpx admin-prohibited", out[len(out)-1], "PostgreSQL and Redis dial nobody")
}

// Containers have the way out that their role's services need: packages, images,
// names, time and other hosts' sshd are their host's business.
func TestContainersDialWhatTheirServicesNeed(t *testing.T) {
	t.Parallel()
	d := stacks.Deployment{
		Domain: "chat.example.com", Media: true, Release: stacks.Image{Repository: "construct", Tag: "1"}, ImageMirror: "registry.example.com:5000",
		Vault: &stacks.Vault{Address: "https://vault.example.com:8200"}, APNs: &stacks.APNs{},
		Kafka: stacks.Kafka{Brokers: []string{"b1.example.com:9093"}},
	}
	d.Monitoring.Receivers.Email.Smarthost = "mail.example.com:587"
	outward, err := stacks.Outward(d)
	require.NoError(t, err)
	o := Options{SSHPort: 22, Features: d.Features(), Outward: outward}
	for role, want := range map[stacks.Role][]string{
		stacks.Gateway: {"tcp dport 80", "tcp dport 443"},
		stacks.App:     {"tcp dport 443", "tcp dport 8200"},
		stacks.Message: {"tcp dport 443", "tcp dport 8200", "tcp dport 9093"},
		stacks.Media:   {"tcp dport 443", "tcp dport 587"},
		stacks.DB:      nil,
	} {
		rules, err := HostRules(Matrix(o), hostOf(role, true))
		require.NoError(t, err)
		var outside []string
		for _, line := range lines(rules, "container_out") {
			if rule, ok := strings.CutSuffix(line, " counter accept"); ok && !strings.Contains(rule, "daddr") {
				outside = append(outside, rule)
			}
			assert.NotContains(t, line, "dport 22 ", "%s", role)
		}
		assert.Equal(t, want, outside, "%s", role)
		assert.Contains(t, lines(rules, "to_outside"), "tcp dport 5000 counter accept", "%s: the registry is the host's", role)
	}
}

// The matrix' rows as the host's chains say them, one kind of each.
func TestHostRulesOfEveryKindOfRow(t *testing.T) {
	t.Parallel()
	matrix := []Row{
		{Internet, stacks.App, cloud.UDP, 443, "public", false, false},
		{Operators, stacks.App, cloud.TCP, 22, "ssh", false, false},
		{stacks.DB, stacks.App, cloud.TCP, 1, "role", false, false},
		{stacks.App, stacks.App, cloud.TCP, 2, "within the role", false, false},
		{Fleet, Fleet, cloud.ICMP, 0, "ping", true, false},
		{stacks.App, stacks.DB, cloud.TCP, 3, "out to a role", false, false},
		{stacks.App, Internet, cloud.UDP, 0, "out", false, false},
		{stacks.Gateway, stacks.DB, cloud.TCP, 4, "not this host's", false, false},
	}
	rules, err := HostRules(matrix, hostOf(stacks.App, false))
	require.NoError(t, err)
	fleet := "{ 10.20.0.32, 10.20.0.64, 10.20.0.65, 10.20.0.96, 10.20.0.128 }"
	inbound := lines(rules, "from_outside")
	assert.Equal(t, []string{
		"udp dport 443 counter accept",
		"ip saddr 203.0.113.7/32 tcp dport 22 counter accept",
		"ip6 saddr 2001:db8::/48 tcp dport 22 counter accept",
		"ip saddr 10.20.0.96 ip daddr 10.20.0.64 tcp dport 1 counter accept",
		"ip saddr { 10.20.0.64, 10.20.0.65 } ip daddr 10.20.0.64 tcp dport 2 counter accept",
		"ip saddr " + fleet + " ip daddr 10.20.0.64 meta l4proto icmp counter accept",
		"counter drop",
	}, inbound[len(inbound)-7:])
	containers := lines(rules, "from_container")
	assert.Equal(t, []string{
		"udp dport 443 counter accept",
		"ip daddr 10.20.0.64 tcp dport 2 counter accept",
		"counter drop",
	}, containers[len(containers)-3:])
	out := lines(rules, "container_out")
	assert.Equal(t, []string{
		"ip daddr { 10.20.0.64, 10.20.0.65 } tcp dport 2 counter accept",
		"ip daddr 10.20.0.96 tcp dport 3 counter accept",
		"meta l4proto udp counter accept",
		"counter reject with icmpx admin-prohibited",
	}, out[len(out)-4:])
	assert.Equal(t, []string{
		"ip daddr { 10.20.0.64, 10.20.0.65 } tcp dport 2 counter accept",
		"ip daddr " + fleet + " meta l4proto icmp counter accept",
		"ip daddr 10.20.0.96 tcp dport 3 counter accept",
		"meta l4proto udp counter accept",
		"counter reject with icmpx admin-prohibited",
	}, lines(rules, "to_outside"))
}

func TestHostRulesRefuse(t *testing.T) {
	t.Parallel()
	h := hostOf(stacks.App, false)
	_, err := HostRules(Matrix(whole()), h)
	require.ErrorContains(t, err, `no server of role "media"`)
	h.Private = netip.MustParseAddr("10.20.0.99")
	_, err = HostRules(nil, h)
	require.EqualError(t, err, "rules of a app server: its address 10.20.0.99 is not among the role's")
}
