package deploy

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// The release must not run again for a commit that made the same bundle.
func TestCommitIsKeptWithItsBundle(t *testing.T) {
	t.Parallel()
	stash := deployed(t).resources["db-1-commit "+stashType]
	assert.Equal(t, "1a2b3c4d5e6f-dirty", stash.Inputs["input"].StringValue())
	assert.Equal(t, []string{"input"}, stash.RegisterRPC.GetIgnoreChanges())
	assert.Equal(t, "0123456789abcdef", stash.RegisterRPC.GetReplacementTrigger().GetStringValue(), "another bundle is another commit's")
}
