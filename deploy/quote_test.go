package deploy

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"mvdan.cc/sh/v3/shell"
)

func TestQuote(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"db-1":                         "db-1",
		"docker.io/library/redis:7.2":  "docker.io/library/redis:7.2",
		"10.20.0.0/24":                 "10.20.0.0/24",
		"":                             "''",
		"two words":                    "'two words'",
		"$(reboot)":                    "'$(reboot)'",
		"it's":                         `"it's"`,
		"db.internal=10.20.0.5":        "'db.internal=10.20.0.5'",
		"ssh-ed25519 AAAA+/= operator": "'ssh-ed25519 AAAA+/= operator'",
	} {
		got, err := Quote(in)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

func TestQuoteRefusesControlCharacters(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"a\nb", "a\x00b", "tab\there", "\x7f"} {
		_, err := Quote(in)
		require.Error(t, err, "%q", in)
	}
}

func FuzzQuote(f *testing.F) {
	for _, seed := range []string{"", "a b", "'", `"`, "`id`", "$HOME", "#x", "a\\", "ümläut", "{a,b}", "~", "*", "-x", "=", "!!", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		quoted, err := Quote(in)
		if err != nil {
			return
		}
		fields, err := shell.Fields("word "+quoted, func(string) string { return "EXPANDED" })
		require.NoError(t, err)
		require.Len(t, fields, 2)
		if utf8.ValidString(in) {
			assert.Equal(t, in, fields[1])
		}
	})
}
