package e2e

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/deploy"
)

// window is how much of a secret in a row is a leak: what a terminal has cut
// is found too, and nothing is found by chance.
const window = 16

// canaries finds secrets, and pieces of them, in what must not hold any.
type canaries struct {
	at    map[string]string // a window of some form of a secret → "name, form"
	first [1 << 16]bool     // hashes of the windows' first 8 bytes
}

// newCanaries looks for secrets, by name, in all their forms.
func newCanaries(secrets map[string]string) *canaries {
	c := &canaries{at: map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		for _, text := range randomLines(secrets[name]) {
			c.add(name+", as it is", text)
			all := forms(text)
			for _, form := range slices.Sorted(maps.Keys(all)) {
				c.add(name+", "+form, all[form])
			}
		}
	}
	return c
}

func (c *canaries) add(what, text string) {
	for i := 0; i+window <= len(text); i++ {
		piece := text[i : i+window]
		// Placeholders are one character repeated; so is much else.
		if _, known := c.at[piece]; !known && strings.Count(piece, piece[:1]) < window {
			c.at[piece] = what
			c.first[hash(piece)] = true
		}
	}
}

func hash(piece string) uint16 {
	return uint16(binary.LittleEndian.Uint64([]byte(piece[:8])) * 0x9e3779b97f4a7c15 >> 48)
}

// in names the secrets of which a window is in text, each with a form.
func (c *canaries) in(text string) []string {
	found := map[string]bool{}
	for i := 0; i+window <= len(text); i++ {
		piece := text[i : i+window]
		if !c.first[hash(piece)] {
			continue
		}
		if what, ok := c.at[piece]; ok {
			found[what] = true
			i += window - 1
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// absent fails the test for every secret that is in text.
func (c *canaries) absent(t *testing.T, where, text string) {
	t.Helper()
	for _, what := range c.in(text) {
		assert.Fail(t, "leak", "%s holds a secret: %s", where, what)
	}
}

// randomLines are the parts of a secret that are like no other's: of PEM the
// lines between the first, which is the same for all keys of a kind, and the
// last, which is short.
func randomLines(secret string) []string {
	if !strings.Contains(secret, "-----BEGIN ") {
		return []string{secret}
	}
	lines := strings.Split(strings.TrimSpace(secret), "\n")
	var out []string
	for i, line := range lines {
		if i > 1 && i < len(lines)-1 {
			out = append(out, line)
		}
	}
	return out
}

// forms are a text in the encodings that it may meet on its way.
func forms(text string) map[string]string {
	out := map[string]string{
		"hexadecimal": hex.EncodeToString([]byte(text)),
		"HEXADECIMAL": strings.ToUpper(hex.EncodeToString([]byte(text))),
	}
	if utf8.ValidString(text) {
		textForms(out, text)
	}
	// Within a longer text that is encoded, a secret begins anywhere in a group
	// of three bytes. The characters at its ends are its neighbours' too.
	for shift := range 3 {
		padded := strings.Repeat("\x00", shift) + text
		from, to := (shift*8+5)/6, len(padded)*8/6
		out[fmt.Sprintf("base64 at %d", shift)] = base64.RawStdEncoding.EncodeToString([]byte(padded))[from:to]
		out[fmt.Sprintf("base64 for URLs at %d", shift)] = base64.RawURLEncoding.EncodeToString([]byte(padded))[from:to]
	}
	return out
}

// textForms adds the encodings that only text has.
func textForms(out map[string]string, text string) {
	out["URL query"] = url.QueryEscape(text)
	out["URL path"] = url.PathEscape(text)
	out["URL login"] = strings.TrimPrefix((&url.URL{User: url.User(text)}).String(), "//")
	out["Go string"] = strings.Trim(strconv.Quote(text), `"`)
	out["env file"] = strings.ReplaceAll(text, "$", "$$")
	if encoded, err := json.Marshal(text); err == nil {
		out["JSON"] = strings.Trim(string(encoded), `"`)
		if twice, err := json.Marshal(out["JSON"]); err == nil {
			out["JSON in JSON"] = strings.Trim(string(twice), `"`)
		}
	}
	if quoted, err := deploy.Quote(text); err == nil {
		out["shell"] = quoted
	}
}

func TestCanariesAreFound(t *testing.T) {
	t.Parallel()
	const secret = `qK4~w0/Zx+"N9` + "`v$" + `T2\b'rL7_m>Y5?c`
	c := newCanaries(map[string]string{"password": secret})
	var quoted strings.Builder
	for _, b := range []byte(secret) {
		fmt.Fprintf(&quoted, "%02X", b)
	}
	shell, err := deploy.Quote(secret)
	require.NoError(t, err)
	for name, text := range map[string]string{
		"alone":             secret,
		"within":            "DATABASE_URL=x://u:" + secret + "@db.internal",
		"cut":               "password: " + secret[:20] + "…",
		"in a log":          fmt.Sprintf("%q", map[string]string{"p": secret}),
		"in JSON":           `{"p":` + toJSON(t, secret) + `}`,
		"in JSON in JSON":   toJSON(t, `{"p":`+toJSON(t, secret)+`}`),
		"hexadecimal":       strings.ToLower(quoted.String()),
		"HEXADECIMAL":       quoted.String(),
		"base64":            base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64, second":    base64.StdEncoding.EncodeToString([]byte("x" + secret + "y")),
		"base64, third":     base64.URLEncoding.EncodeToString([]byte("xy" + secret)),
		"base64, unpadded":  base64.RawURLEncoding.EncodeToString([]byte("xyz" + secret)),
		"in a URL":          "https://example.com/?p=" + url.QueryEscape(secret),
		"in a path":         "https://example.com/" + url.PathEscape(secret),
		"as a login":        (&url.URL{Scheme: "redis", User: url.UserPassword("u", secret), Host: "h"}).String(),
		"in a command":      "login --password " + shell,
		"in a compose file": strings.ReplaceAll(secret, "$", "$$"),
	} {
		assert.NotEmpty(t, c.in(text), "%s: %s", name, text)
	}
	assert.Empty(t, c.in("a word of "+secret[:window-1]+" and another"))
	assert.Empty(t, c.in(strings.Repeat("nothing to be seen here ", 100)))
}
