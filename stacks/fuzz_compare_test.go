package stacks

import (
	"fmt"
	"maps"
	"net/url"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"gopkg.in/yaml.v3"
)

// comparison is between two renderings that differ in one setting: a harmless
// word in one is any text in the other.
type comparison struct {
	t                 *testing.T
	field, word, text string
}

func (c comparison) files(want, got map[string]File) {
	c.t.Helper()
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(slices.Sorted(maps.Keys(want)), names) {
		c.t.Errorf("%s = %q: other files: %q", c.field, c.text, names)
	}
	for name, file := range got {
		was, is := string(want[name].Content), string(file.Content)
		switch ext := path.Ext(name); {
		case slices.Contains([]string{".pem", ".p8", ".crt", ".key"}, ext):
			// A file of its own, or made of other things.
		case slices.Contains([]string{".yaml", ".yml", ".json"}, ext):
			c.leaf(name, c.yaml(name, was), c.yaml(name, is))
		case ext == ".env":
			c.leaf(name, c.env(name, was), c.env(name, is))
		case path.Base(name) == "Caddyfile":
			c.leaf(name, lexCaddyfile(was), lexCaddyfile(is))
			if strings.Count(was, "{$") != strings.Count(is, "{$") {
				c.t.Errorf("%s = %q: %s asks for other variables", c.field, c.text, name)
			}
		default:
			c.leaf(name, words(was), words(is))
		}
	}
}

// words are a text's lines, each of its words: what most of the other languages
// see first.
func words(text string) any {
	var lines []any
	for line := range strings.SplitSeq(text, "\n") {
		var list []any
		for _, word := range strings.Fields(line) {
			list = append(list, word)
		}
		lines = append(lines, list)
	}
	return lines
}

func (c comparison) yaml(name, text string) any {
	c.t.Helper()
	var tree any
	if err := yaml.Unmarshal([]byte(text), &tree); err != nil {
		c.t.Fatalf("%s = %q: %s is not YAML: %v", c.field, c.text, name, err)
	}
	return tree
}

// env is an environment file as Compose reads it. Nothing in it may be expanded.
func (c comparison) env(name, text string) any {
	c.t.Helper()
	values, err := dotenv.ParseWithLookup(strings.NewReader(text), func(string) (string, bool) { return "EXPANDED", true })
	if err != nil {
		c.t.Fatalf("%s = %q: %s is no environment file: %v", c.field, c.text, name, err)
	}
	tree := map[string]any{}
	for key, value := range values {
		tree[key] = value
	}
	return tree
}

// leaf compares two trees: all the same, but for the text in place of the word.
func (c comparison) leaf(at string, want, got any) {
	c.t.Helper()
	switch was := want.(type) {
	case map[string]any:
		is, _ := got.(map[string]any)
		if !slices.Equal(slices.Sorted(maps.Keys(was)), slices.Sorted(maps.Keys(is))) {
			c.t.Errorf("%s = %q: %s has other keys: %v", c.field, c.text, at, got)
			return
		}
		for key, value := range was {
			c.leaf(at+"."+key, value, is[key])
		}
	case []any:
		is, _ := got.([]any)
		if len(was) != len(is) {
			c.t.Errorf("%s = %q: %s has another length: %q (want %q)", c.field, c.text, at, got, want)
			return
		}
		for i, value := range was {
			c.leaf(fmt.Sprintf("%s[%d]", at, i), value, is[i])
		}
	case string:
		is, isText := got.(string)
		if !isText || !c.agree(was, is) {
			c.t.Errorf("%s = %q: %s is %q (was %q)", c.field, c.text, at, got, was)
		}
	default:
		if !reflect.DeepEqual(want, got) && !strings.HasSuffix(at, ".require_tls") { // follows from the port
			c.t.Errorf("%s = %q: %s is %v (want %v)", c.field, c.text, at, got, want)
		}
	}
}

// agree tells whether a text is what it was, but for the setting and what is
// made of it.
func (c comparison) agree(was, is string) bool {
	login := func(text string) string { return strings.TrimPrefix(url.User(text).String(), "//") }
	is = made.ReplaceAllString(is, "…")
	for _, now := range []string{
		was, strings.ReplaceAll(was, c.word, c.text), strings.ReplaceAll(was, login(c.word), login(c.text)),
	} {
		now = made.ReplaceAllString(now, "…")
		// Images without a registry are Docker Hub's.
		if is == now || hub.ReplaceAllString(is, "") == hub.ReplaceAllString(now, "") {
			return true
		}
	}
	return false
}

var hub = regexp.MustCompile(`docker\.io/(library/)?`)

// made are digests, verifiers of passwords, and the ports that a health check
// looks for.
var made = regexp.MustCompile(`SCRAM-SHA-256\$4096:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+|[0-9a-f]{8,64}|:\([0-9A-F|]+\) 01 `)

// lexCaddyfile splits a Caddyfile into lines of tokens as Caddy does: words,
// and what stands in double quotes or backquotes.
func lexCaddyfile(text string) any {
	var lines, line []any
	var word strings.Builder
	inWord := false
	end := func() {
		if inWord {
			line = append(line, word.String())
		}
		word.Reset()
		inWord = false
	}
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		switch r := runes[i]; {
		case !inWord && (r == '"' || r == '`'):
			for i++; i < len(runes) && runes[i] != r; i++ {
				if r == '"' && runes[i] == '\\' && i+1 < len(runes) && runes[i+1] == '"' {
					i++
				}
				word.WriteRune(runes[i])
			}
			inWord = true
			end()
		case !inWord && r == '#':
			for i+1 < len(runes) && runes[i+1] != '\n' {
				i++
			}
		case r == '\n':
			end()
			lines, line = append(lines, line), nil
		case unicodeSpace(r):
			end()
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	end()
	return append(lines, any(line))
}

func unicodeSpace(r rune) bool { return strings.TrimSpace(string(r)) == "" }
