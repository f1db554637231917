package program

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/cloud"
	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/stacks"
)

func TestServiceImages(t *testing.T) {
	t.Parallel()
	tagged := config.Release{Repository: "ghcr.io/x/server", Tag: "1.0"}
	pinned := config.Release{Repository: "ghcr.io/x/server", Digest: "sha256:aa"}
	for _, c := range []struct {
		name     string
		release  config.Release
		override config.ReleaseOverride
		want     stacks.Image
	}{
		{"tag", tagged, config.ReleaseOverride{Tag: "1.1"}, stacks.Image{Repository: "ghcr.io/x/server", Tag: "1.1"}},
		{"repository inherits the version", tagged, config.ReleaseOverride{Repository: "ghcr.io/x/user"}, stacks.Image{Repository: "ghcr.io/x/user", Tag: "1.0"}},
		{"a tag replaces the release's digest", pinned, config.ReleaseOverride{Tag: "1.1"}, stacks.Image{Repository: "ghcr.io/x/server", Tag: "1.1"}},
		{"a digest replaces the release's tag", tagged, config.ReleaseOverride{Digest: "sha256:bb"}, stacks.Image{Repository: "ghcr.io/x/server", Digest: "sha256:bb"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.release.Overrides = map[string]config.ReleaseOverride{"user-service": c.override}
			assert.Equal(t, map[string]stacks.Image{"user-service": c.want}, serviceImages(c.release))
		})
	}
}

func TestDigestKeyIsTheStacksOwn(t *testing.T) {
	t.Parallel()
	keyOf := func(seed string) []byte {
		d, err := deployment(&config.Config{Secrets: config.Secrets{HostKeySeed: seed}}, cloud.Scope{}, cloud.Catalogue{})
		require.NoError(t, err)
		return d.DigestKey
	}
	first, again := keyOf("a"), keyOf("a")
	assert.Equal(t, first, again, "digests must not change by themselves")
	assert.NotEqual(t, keyOf("a"), keyOf("b"))
	assert.Len(t, keyOf("a"), keyBytes)
}

// New host keys are no reason to make a single container anew.
func TestHostKeySeedsMeanNothingToBundles(t *testing.T) {
	t.Parallel()
	before, err := deployment(&config.Config{Secrets: config.Secrets{HostKeySeed: "a"}}, cloud.Scope{}, cloud.Catalogue{})
	require.NoError(t, err)
	for _, previous := range []string{"a", ""} {
		after, err := deployment(&config.Config{Secrets: config.Secrets{
			HostKeySeed: "b", PreviousHostKeySeed: previous, InternalSeed: "a",
		}}, cloud.Scope{}, cloud.Catalogue{})
		require.NoError(t, err)
		assert.Equal(t, before, after)
	}
}
