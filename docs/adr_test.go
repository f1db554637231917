package docs_test

import (
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestDecisionsAreNumbered keeps a decision's number its own: pages refer to it.
func TestDecisionsAreNumbered(t *testing.T) {
	t.Parallel()
	number, title := regexp.MustCompile(`^0*([0-9]+)-`), regexp.MustCompile(`\A# ([0-9]+)\. `)
	taken := map[string]string{}
	for page, text := range pages(t) {
		if filepath.Base(filepath.Dir(page)) == "adr" {
			named, titled := number.FindStringSubmatch(filepath.Base(page)), title.FindStringSubmatch(text)
			if assert.NotNil(t, named, page) && assert.NotNil(t, titled, page) {
				assert.Equal(t, named[1], titled[1], "%s has another number in its title", page)
				assert.Empty(t, taken[named[1]], "%s has the number of another", page)
				taken[named[1]] = page
			}
		}
		for _, found := range regexp.MustCompile(`\[ADR ([0-9]+)\]\([a-z./]*adr/0*([0-9]+)-`).FindAllStringSubmatch(text, -1) {
			assert.Equal(t, found[1], found[2], "%s: %s", page, found[0])
		}
	}
	assert.GreaterOrEqual(t, len(taken), 6)
}
