package program_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite golden files")

// TestGraph is the graph of resources: a renamed one is a replaced server, so
// a change here needs an alias in the code.
func TestGraph(t *testing.T) {
	t.Parallel()
	for name, where := range clouds() {
		for variant, changes := range map[string]map[string]any{
			"":          where,
			"-no-media": withoutMedia(where),
			"-domain":   also(also(where, "construct:domain", "chat.example.com"), "construct:acme", map[string]any{"email": "ops@example.com"}),
		} {
			t.Run(name+variant, func(t *testing.T) {
				t.Parallel()
				got := strings.Join(mustPreview(t, changes).triples(), "\n") + "\n"
				path := filepath.Join("testdata", name+variant+".graph")
				if *update {
					require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
				}
				want, err := os.ReadFile(path)
				require.NoError(t, err)
				assert.Equal(t, string(want), got)
			})
		}
	}
}

// neutral are the triples that no cloud has its hand in.
func neutral(triples []string) []string {
	return slices.DeleteFunc(triples, func(line string) bool {
		return !strings.HasPrefix(line, "construct:") && !strings.HasPrefix(line, "command:")
	})
}

func TestSwitchingCloudsChangesTheCloudsResourcesOnly(t *testing.T) {
	t.Parallel()
	one, other := mustPreview(t, onDigitalOcean()), mustPreview(t, onHetzner())
	assert.Equal(t, neutral(one.triples()), neutral(other.triples()))
	assert.NotEmpty(t, neutral(one.triples()))
}

func TestNothingNamesMediaWithoutMedia(t *testing.T) {
	t.Parallel()
	for name, where := range clouds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := mustPreview(t, withoutMedia(where))
			for _, line := range r.triples() {
				assert.NotContains(t, line, "media")
			}
			for _, f := range r.ofType("digitalocean:index/firewall:Firewall", "hcloud:index/firewall:Firewall") {
				assert.NotContains(t, fmt.Sprint(f.Inputs.Mappable()), "media", f.Name)
			}
			assert.NotContains(t, r.outputs, "mediaServer")
			assert.NotContains(t, r.outputs, "grafanaTunnel")
		})
	}
}
