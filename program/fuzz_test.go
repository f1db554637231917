package program_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/cloud"
	"github.com/construct-server/infra/cloud/digitalocean"
	"github.com/construct-server/infra/cloud/hetzner"
	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/config/configtest"
	"github.com/construct-server/infra/program"
)

// FuzzConfiguration puts arbitrary text in the place of one setting. What the
// configuration's own checks accept can be built, on either cloud, unless the
// cloud does not have the region or the size: nobody is told in the middle of an
// up.
func FuzzConfiguration(f *testing.F) {
	tree, err := configtest.Everything()
	require.NoError(f, err)
	// The media role's metrics, and sizes that the mocks' clouds have.
	tree = configtest.Merge(tree, map[string]any{"construct:roles": map[string]any{
		"gateway": map[string]any{"size": "small"}, "db": map[string]any{"size": "medium", "volumeGb": 50},
	}})
	leaves := configtest.Leaves(tree)
	for i := range leaves {
		f.Add(uint(i), "x", i%2 == 0)
	}
	for i, text := range []string{
		"it's", `a\b`, "a\nb", "\u2028", "\u0085", "\x7f", "é", "${HOME}", "{$HOME}", `say "x"`, "#", " ", "a b", "x: y", "host:+1", "https://x/'", "Chat.example.com",
	} {
		for leaf := i; leaf < len(leaves); leaf += 17 {
			f.Add(uint(leaf), text, leaf%2 == 0)
		}
	}
	f.Fuzz(func(t *testing.T, leaf uint, text string, other bool) {
		changed := configtest.Replace(tree, leaves[leaf%uint(len(leaves))], text)
		if other {
			changed = configtest.Merge(changed, onHetzner())
		}
		src, err := config.FromTree("construct", "prod", "testdata", changed)
		require.NoError(t, err)
		cfg, err := config.Parse(src)
		if err != nil {
			return
		}
		build(t, cfg)
	})
}

// What the clouds take for names, labels and tags: the stricter of the two where
// they differ, and a label of a host name at most.
var (
	resourceName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	labelText    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$`)
	tagText      = regexp.MustCompile(`^[A-Za-z0-9_:-]{1,255}$`)
)

// FuzzNames gives project and stack arbitrary names. They are refused, or all
// that is made of them is a name, a label or a tag to either cloud.
func FuzzNames(f *testing.F) {
	tree, err := configtest.Base()
	require.NoError(f, err)
	for _, name := range []string{"", "x", "prod", "Prod", "a b", "a_b", "-a", "a-", "1", "é", "a.b", "a/b", "a\n", strings.Repeat("a", 30), strings.Repeat("a", 60)} {
		f.Add("construct", name, true)
		f.Add(name, "prod", false)
	}
	f.Fuzz(func(t *testing.T, project, stack string, other bool) {
		changed := configtest.Merge(tree, map[string]any{"construct:domain": "chat.example.com", "construct:acme": map[string]any{"email": "ops@example.com"}})
		if other {
			changed = configtest.Merge(changed, onHetzner())
		}
		src, err := config.FromTree(project, stack, "testdata", changed)
		require.NoError(t, err)
		cfg, err := config.Parse(src)
		if err != nil {
			return
		}
		seen := 0
		r := build(t, cfg)
		for _, res := range r.resources {
			if !strings.HasPrefix(res.TypeToken, "digitalocean:") && !strings.HasPrefix(res.TypeToken, "hcloud:") {
				continue
			}
			seen++
			where := res.TypeToken + " " + res.Name
			inputs := res.Inputs.Mappable()
			if name, ok := inputs["name"].(string); ok && !isDNS(res.TypeToken) {
				assert.Regexp(t, resourceName, name, where)
			}
			labels, _ := inputs["labels"].(map[string]any)
			for key, value := range labels {
				assert.Regexp(t, labelText, key, where)
				assert.Regexp(t, labelText, value, where)
			}
			tags, _ := inputs["tags"].([]any)
			for _, tag := range tags {
				assert.Regexp(t, tagText, tag, where)
			}
		}
		assert.Greater(t, seen, 20, "hardly a resource was looked at")
	})
}

// isDNS tells resources whose name is a name in the DNS.
func isDNS(token string) bool {
	return strings.HasSuffix(token, ":Domain") || strings.HasSuffix(token, ":DnsRecord") || strings.HasSuffix(token, ":Zone") || strings.HasSuffix(token, ":ZoneRrset")
}

// build builds a deployment of a configuration, which must go well.
func build(t *testing.T, cfg *config.Config) *recorder {
	t.Helper()
	scope := cloud.Scope{Project: cfg.Project, Stack: cfg.Stack, Region: cfg.Region}
	var provider cloud.Provider = digitalocean.New(scope)
	if cfg.Cloud == config.Hetzner {
		provider = hetzner.New(scope)
	}
	r := &recorder{}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		_, err := program.Build(ctx, cfg, scope, provider)
		return err
	}, pulumi.WithMocks("construct", "prod", r))
	if err != nil && !strings.HasPrefix(problem(err), "construct:roles") && !strings.HasPrefix(problem(err), "construct:region") {
		t.Errorf("accepted, and cannot be built: %v", err)
	}
	return r
}

// problem is an error's text without the wrapping that the SDK gives it.
func problem(err error) string {
	_, text, found := strings.Cut(err.Error(), "* ")
	if !found {
		return err.Error()
	}
	return text
}
