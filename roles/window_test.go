package roles

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/construct-server/infra/stacks"
)

func TestServersTakeTurnsToReboot(t *testing.T) {
	t.Parallel()
	w := Window{Day: time.Sunday, Start: 2 * time.Hour}
	for role, want := range map[stacks.Role]string{
		stacks.DB:      "Sun *-*-* 02:00:00 UTC",
		stacks.Message: "Sun *-*-* 02:30:00 UTC",
		stacks.App:     "Sun *-*-* 03:00:00 UTC",
		stacks.Media:   "Sun *-*-* 03:30:00 UTC",
		stacks.Gateway: "Sun *-*-* 04:00:00 UTC",
	} {
		assert.Equal(t, want, w.turn(role, 1), string(role))
	}
	assert.Equal(t, "Sun *-*-* 04:30:00 UTC", w.turn(stacks.DB, 2), "a role's second server waits for every first")
	late := Window{Day: time.Saturday, Start: 23 * time.Hour}
	assert.Equal(t, "Sat *-*-* 23:30:00 UTC", late.turn(stacks.Message, 1))
	assert.Equal(t, "Sun *-*-* 00:00:00 UTC", late.turn(stacks.App, 1), "past midnight it is another day")
}
