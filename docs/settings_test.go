package docs_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSettingsExist looks for every setting that a page names in the reference,
// which is made from the schema.
func TestSettingsExist(t *testing.T) {
	t.Parallel()
	reference, err := os.ReadFile("configuration.md")
	require.NoError(t, err)
	named := regexp.MustCompile(`construct:([a-z][A-Za-z.-]*[A-Za-z])`)
	entry := regexp.MustCompile(`^(release\.overrides)\.[a-z-]+|^(images)\.[a-z-]+$`)
	for page, text := range pages(t) {
		for _, found := range named.FindAllStringSubmatch(text, -1) {
			key := entry.ReplaceAllStringFunc(found[1], func(s string) string {
				if strings.HasPrefix(s, "images") {
					return "images"
				}
				return "release.overrides.<name>"
			})
			if !strings.Contains(string(reference), "| `"+key+"` |") {
				t.Errorf("%s: no setting %s", page, found[0])
			}
		}
	}
}
