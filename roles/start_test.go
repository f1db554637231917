package roles

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/stacks"
)

// Every role waits for roles that exist and that start before it, and nothing
// but the first starts at once.
func TestAfterFollowsTheStartOrder(t *testing.T) {
	t.Parallel()
	for _, media := range []bool{true, false} {
		order := stacks.Roles(media)
		for i, role := range order {
			after := After(role, media)
			assert.Equal(t, i == 0, len(after) == 0, "%s", role)
			for _, earlier := range after {
				at := slices.Index(order, earlier)
				assert.True(t, at >= 0 && at < i, "%s waits for %s", role, earlier)
			}
		}
		assert.Equal(t, stacks.Gateway, order[len(order)-1])
		if media {
			assert.Contains(t, After(stacks.Gateway, media), stacks.Media)
		}
	}
}

func TestNodeArgsAreJudgedTogether(t *testing.T) {
	t.Parallel()
	err := (&NodeArgs{VolumeGB: -1}).validate()
	require.EqualError(t, err, "Fleet, Size: required\nIndex: 0 (want at least 1)\nVolumeGB: -1")
}
