package deploy

import (
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Quote makes s one word of a POSIX or bash command line. It fails on what no
// quoting can carry: a NUL byte, or bytes that POSIX shells cannot write.
func Quote(s string) (string, error) {
	if !strings.ContainsFunc(s, needsQuoting) && s != "" {
		return s, nil
	}
	if i := strings.IndexByte(s, 0); i >= 0 {
		return "", fmt.Errorf("quote %q: NUL byte at %d", s, i)
	}
	if strings.ContainsFunc(s, isControl) {
		return "", fmt.Errorf("quote %q: control character in a command's text", s)
	}
	q, err := syntax.Quote(s, syntax.LangPOSIX)
	if err != nil {
		return "", fmt.Errorf("quote %q: %w", s, err)
	}
	return q, nil
}

// needsQuoting is false for characters that are plain in every shell context;
// syntax.Quote alone would quote "=" and ":" and make texts hard to read.
func needsQuoting(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	}
	return !strings.ContainsRune("-_./:@%+,", r)
}
