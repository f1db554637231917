package deploy

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// How long something with data was away is written down when a release makes it
// anew, and only then.
func TestInterruptionsAreRemembered(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	for _, c := range []struct {
		why    string
		b      bundle
		expect string
	}{
		{"the first release", bundle{digest: "aa", config: "c1", web: wellWeb}, ""},
		{"another service", bundle{digest: "bb", config: "c2", web: wellWeb}, ""},
		{"another image of data", bundle{digest: "cc", config: "c2", web: wellWeb, data: "2"}, `^interruption data \d+ 20\S+Z$`},
		{"what data takes while it runs", bundle{digest: "ee", config: "c2", web: wellWeb, data: "2", taken: "t2"}, `^interruption data \d+ 20\S+Z$`},
		{"another service again", bundle{digest: "dd", config: "c1", web: wellWeb, data: "2"}, `^interruption data \d+ 20\S+Z$`},
	} {
		out, errOut, ok := h.apply(c.b)
		require.True(t, ok, "%s: %s", c.why, errOut)
		if c.b.digest == "cc" {
			assert.Contains(t, out, "data on construct-test-db-1 was made anew; all was healthy again within ")
		} else {
			assert.NotContains(t, out, "made anew", c.why)
		}
		facts, errOut, ok := h.run("", "facts")
		require.True(t, ok, errOut)
		if c.expect == "" {
			assert.NotContains(t, facts, "interruption", c.why)
		} else {
			assert.Regexp(t, `(?m)`+c.expect, facts, c.why)
		}
	}
}
