package api

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Limiter is an account's request budget: full at first, refilled evenly over
// an hour.
type Limiter struct {
	mu    sync.Mutex
	limit float64
	left  float64
	at    time.Time
}

// NewLimiter returns a full budget of perHour requests.
func NewLimiter(perHour int) *Limiter {
	return &Limiter{limit: float64(perHour), left: float64(perHour), at: time.Now()}
}

// Take spends one request, writes the ratelimit headers that both clouds send,
// and says whether the budget allowed it.
func (l *Limiter) Take(h http.Header) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.left = min(l.limit, l.left+now.Sub(l.at).Hours()*l.limit)
	l.at = now
	ok := l.left >= 1
	if ok {
		l.left--
	}
	full := now.Add(time.Duration((l.limit - l.left) / l.limit * float64(time.Hour)))
	h.Set("RateLimit-Limit", strconv.Itoa(int(l.limit)))
	h.Set("RateLimit-Remaining", strconv.Itoa(int(l.left)))
	h.Set("RateLimit-Reset", strconv.FormatInt(full.Unix(), 10))
	return ok
}
