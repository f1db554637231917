package initcmd

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// FuzzAnswers writes a stack file of arbitrary answers: it is refused, or YAML
// says the same, and nothing besides.
func FuzzAnswers(f *testing.F) {
	for _, text := range []string{
		"x", "", " ", "#", "a #b", "a: b", "a:", "- a", "? a", "| a", "'", `"`, `\`, "`", "{a", "[a", "&a", "*a", "!a", "%a", "@a", "a\nb", "a\tb", "a\x00b",
		"~", "null", "yes", "0x1", "1e3", "1_0", "2001-01-01", ".inf", "=", "<<", "---", "...", "é", "\u0085", "\u00a0", "\u2028", "\ufeff", "\x7f", "\xff", "\U0001f511",
	} {
		f.Add(text, "fra1", "x"+text)
	}
	f.Fuzz(func(t *testing.T, one, two, three string) {
		a := example
		a.Region, a.Domain, a.Email, a.PublicKeyPath, a.PrivateKeyPath, a.Repository, a.Tag = one, two, three, one, two, three, one
		a.AllowedCIDRs = []string{two, three}
		text, err := render(a)
		if err != nil {
			return
		}
		var file struct {
			Config map[string]any `yaml:"config"`
		}
		require.NoError(t, yaml.Unmarshal([]byte(text), &file), "%s", text)
		ssh := map[string]any{"publicKeyPath": one, "allowedCidrs": []any{two, three}}
		if two != "" {
			ssh["privateKeyPath"] = two
			assert.Equal(t, two, file.Config["construct:domain"])
			assert.Equal(t, map[string]any{"email": three}, file.Config["construct:acme"])
		}
		assert.Equal(t, one, file.Config["construct:region"])
		assert.Equal(t, ssh, file.Config["construct:ssh"])
		assert.Equal(t, map[string]any{"repository": three, "tag": one}, file.Config["construct:release"])
		var plain struct {
			Config map[string]any `yaml:"config"`
		}
		b := example
		b.PrivateKeyPath = two
		if two == "" {
			b.Domain = ""
		}
		usual, err := render(b)
		require.NoError(t, err)
		require.NoError(t, yaml.Unmarshal([]byte(usual), &plain))
		assert.ElementsMatch(t, keysOf(plain.Config), keysOf(file.Config))
	})
}

func keysOf(tree map[string]any) []string {
	var keys []string
	for key := range tree {
		keys = append(keys, key)
	}
	return keys
}
