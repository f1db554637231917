package stacks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// quote writes a string for compose.yaml: JSON is YAML, and a dollar is
// doubled unless it refers to one of the two addresses that the host knows.
// An address that is missing stops Compose, since an empty one would publish
// the port to the world.
func quote(s string) (string, error) {
	s = strings.ReplaceAll(s, "$", "$$")
	for _, name := range []string{"CONSTRUCT_PRIVATE_IP", "CONSTRUCT_PUBLIC_IP"} {
		s = strings.ReplaceAll(s, "$${"+name+"}", "${"+name+":?}")
	}
	return quoteJSON(s)
}

// quoteList writes a YAML flow sequence of quoted strings.
func quoteList(list []string) (string, error) {
	quoted := make([]string, len(list))
	for i, s := range list {
		q, err := quote(s)
		if err != nil {
			return "", err
		}
		quoted[i] = q
	}
	return "[" + strings.Join(quoted, ", ") + "]", nil
}

// quoteJSON writes a string as JSON that YAML reads as the same string: what
// YAML refuses, or takes for the end of a line, is escaped, though JSON would
// not ask for it.
func quoteJSON(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", errors.New("quote: not UTF-8")
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return "", fmt.Errorf("quote: %w", err)
	}
	var quoted strings.Builder
	for _, r := range strings.TrimSuffix(out.String(), "\n") {
		if r <= 0xffff && !unicode.IsPrint(r) {
			fmt.Fprintf(&quoted, `\u%04x`, r)
		} else {
			quoted.WriteRune(r)
		}
	}
	return quoted.String(), nil
}

// caddyToken writes one token of a Caddyfile, in quotes. Within them a Caddyfile
// has next to no escapes, and its placeholders mean the same as without, so
// whatever would need one is refused.
func caddyToken(s string) (string, error) {
	if s == "" || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return strings.ContainsRune("\"\\`{}", r) || !unicode.IsPrint(r)
	}) {
		return "", fmt.Errorf("%q: a Caddyfile cannot carry it", s)
	}
	return `"` + s + `"`, nil
}

var bareSyntax = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)

// bareWord lets a word pass that no language needs quotes for: a name, or a
// password for a file whose quotes are not worth their rules.
func bareWord(s string) (string, error) {
	if !bareSyntax.MatchString(s) {
		return "", errors.New("not a word of letters, digits and . _ ~ - only")
	}
	return s, nil
}

// sqlLiteral quotes a string for SQL with standard_conforming_strings on.
func sqlLiteral(s string) (string, error) {
	if strings.Contains(s, "\x00") {
		return "", errors.New("quote for SQL: NUL")
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'", nil
}
