package roles

import (
	"fmt"
	"slices"
	"time"

	"github.com/construct-server/infra/stacks"
)

// Window is a time that comes once a week, in UTC.
type Window struct {
	Day   time.Weekday
	Start time.Duration // since midnight
}

// rebootSlot is the time between two servers' turns in a window: the first is
// long back, with its services healthy, when the second begins.
const rebootSlot = 30 * time.Minute

// turn is a server's own time within the window, as a systemd calendar
// expression. Servers take turns in the order in which their releases start,
// first every role's first server, then every role's second.
func (w Window) turn(role stacks.Role, index int) string {
	order := stacks.Roles(true)
	slot := slices.Index(order, role) + (index-1)*len(order)
	// A week that begins on a Sunday: what runs over its end comes around.
	at := time.Date(2000, time.January, 2+int(w.Day), 0, 0, 0, 0, time.UTC).Add(w.Start + time.Duration(slot)*rebootSlot)
	return fmt.Sprintf("%s *-*-* %s:00 UTC", at.Weekday().String()[:3], at.Format("15:04"))
}
