package e2e

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestUpAfterDestroy brings a stack up again in the account that it was
// destroyed in. On DigitalOcean that account is not as before: its region has a
// default VPC by then, which no account gets rid of.
func TestUpAfterDestroy(t *testing.T) {
	if testing.Short() {
		t.Skip("short: runs the engine six times a cloud")
	}
	for _, cloud := range clouds {
		t.Run(string(cloud), func(t *testing.T) {
			t.Parallel()
			l := startDry(t, cloud)
			up(t, l)
			destroy(t, l)
			up(t, l)
			assert.Equal(t, []string{"same"}, kinds(up(t, l)), "a second up changed something")
			_, err := l.Stack.Refresh(t.Context(), optrefresh.ExpectNoChanges())
			require.NoError(t, err)
			destroy(t, l)
		})
	}
}
