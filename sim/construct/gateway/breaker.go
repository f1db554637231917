package gateway

import (
	"sync"
	"time"

	"github.com/construct-server/infra/sim/construct/settings"
)

// Breaker states, as the metric reports them.
const (
	closed = iota
	open
	halfOpen
)

// breaker stops calling a service that keeps failing.
type breaker struct {
	mu                  sync.Mutex
	failures, successes int // thresholds
	timeout             time.Duration
	state               int
	count               int // failures while closed, successes while half open
	openedAt            time.Time
}

func newBreaker(c *settings.Config) *breaker {
	return &breaker{failures: c.BreakerFailures, successes: c.BreakerSuccesses, timeout: c.BreakerTimeout}
}

// allow says whether a call may go out now.
func (b *breaker) allow(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == open && now.Sub(b.openedAt) >= b.timeout {
		b.state, b.count = halfOpen, 0
	}
	return b.state != open
}

// done records how a call ended.
func (b *breaker) done(ok bool, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case ok && b.state == halfOpen:
		if b.count++; b.count >= b.successes {
			b.state, b.count = closed, 0
		}
	case ok:
		b.count = 0
	case b.state == halfOpen:
		b.state, b.openedAt = open, now
	default:
		if b.count++; b.count >= b.failures {
			b.state, b.openedAt = open, now
		}
	}
}

func (b *breaker) current() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}
