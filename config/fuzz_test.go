package config_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/config/configtest"
)

// judge parses a configuration. Whatever it holds, the result is a valid Config
// or an error that tells no secret; and the same again, every time.
func judge(t *testing.T, tree map[string]any) {
	t.Helper()
	src, err := config.FromTree("construct", "prod", "testdata", tree)
	if err != nil {
		return
	}
	got, err := config.Parse(src)
	again, errAgain := config.Parse(src)
	if err != nil {
		if errAgain == nil || err.Error() != errAgain.Error() {
			t.Errorf("once\n%v\nand once\n%v", err, errAgain)
		}
		requireNoSecrets(t, tree, err.Error())
		return
	}
	if !reflect.DeepEqual(got, again) {
		t.Errorf("once %+v and once %+v", got, again)
	}
	if err := got.Validate(); err != nil {
		t.Errorf("accepted, and refused: %v", err)
	}
}

// FuzzStackFile lays arbitrary YAML over a valid configuration.
func FuzzStackFile(f *testing.F) {
	base, err := configtest.Base()
	if err != nil {
		f.Fatal(err)
	}
	for _, list := range []func() ([]configtest.Case, error){configtest.Invalid, configtest.Valid} {
		cases, err := list()
		if err != nil {
			f.Fatal(err)
		}
		for _, c := range cases {
			text, err := c.YAML()
			if err != nil {
				f.Fatal(err)
			}
			if len(text) < 4096 {
				f.Add(text)
			}
		}
	}
	for _, text := range []string{
		"", "config:", "config: []", "config: {construct:ssh: ~}", "config: {construct:ssh: {allowedCidrs: [~, 1, [], {}]}}",
		"config: {? [a] : b}", "config: {construct:images: {1: 2}}", "config: &a {construct:dns: *a}", "config: {construct:kafka: {brokers: ['\u2028', \"\\0\"]}}",
		"config: {construct:region: !!binary AA==}", "config: {construct:region: 2001-01-01}", "config: {construct:rateLimit: {authPerMinute: 0x7fffffffffffffff}}",
		"config: {construct:network: {cidr: 1e400}}", "config: {construct:ssh: {port: .nan}}", "\ufeffconfig: {construct:domain: \u00df.example.com}",
		"config: {construct:registries: [{password: {secure: {secure: x}}}]}", "config: {construct:apns: {keyPath: /dev/zero}}",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		over, err := configtest.Source("prod", "testdata", text)
		if err != nil {
			return
		}
		tree := map[string]any{}
		for key, value := range over.Config {
			tree[key] = value
		}
		judge(t, configtest.Merge(base, tree))
	})
}

// FuzzSetting puts arbitrary text or JSON in the place of one setting of a
// configuration that has all of them.
func FuzzSetting(f *testing.F) {
	tree, err := configtest.Everything()
	if err != nil {
		f.Fatal(err)
	}
	leaves := configtest.Leaves(tree)
	if len(leaves) < 60 {
		f.Fatalf("%d settings: not everything", len(leaves))
	}
	awkward := []string{
		"", " ", "x", "0", "-1", "true", "null", "[]", "{}", `"`, "'", "$(id)", "${x}", "{$HOME}", "#", `\`, "a b", "a\nb", "a\x00b",
		"\u2028", "\u0085", "\x7f", "\xff", "é", "/dev/zero",
	}
	for i := range max(len(leaves), len(awkward)) {
		f.Add(uint(i), awkward[i%len(awkward)])
	}
	at := func(keys ...any) uint {
		i := slices.IndexFunc(leaves, func(l configtest.Leaf) bool { return slices.Equal(l, keys) })
		if i < 0 {
			f.Fatalf("no setting %v", keys)
		}
		return uint(i)
	}
	for _, seed := range []struct {
		leaf uint
		text string
	}{
		{at("construct:acme", "email"), "{$HOME}@example.com"}, {at("construct:acme", "email"), `"a b"@example.com`},
		{at("construct:acme", "directory"), `https://x/"{y}`}, {at("construct:vault", "address"), "https://x/'"},
		{at("construct:kafka", "brokers", 0), "host:+1"}, {at("construct:kafka", "password"), "it's"},
		{at("construct:kafka", "username"), "a\nb"}, {at("construct:vault", "token"), `a\b`},
		{at("construct:ssh", "publicKey"), "x\n" + tree["construct:ssh"].(map[string]any)["publicKey"].(string)},
		{at("construct:imageMirror"), "mirror.example.com/" + strings.Repeat("long/", 50)},
	} {
		f.Add(seed.leaf, seed.text)
	}
	f.Fuzz(func(t *testing.T, leaf uint, text string) {
		at := leaves[leaf%uint(len(leaves))]
		judge(t, configtest.Replace(tree, at, text))
		var value any
		if d := json.NewDecoder(strings.NewReader(text)); d.Decode(&value) == nil {
			judge(t, configtest.Replace(tree, at, value))
		}
	})
}
