package api

import (
	"context"
	"sync"
	"time"
)

// Work runs what goes on behind a cloud's answers. Close stops the waiting and
// returns when every piece of work has ended.
type Work struct {
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// NewWork returns an empty Work.
func NewWork() *Work {
	ctx, cancel := context.WithCancel(context.Background())
	return &Work{ctx: ctx, cancel: cancel}
}

// Go runs do in the background, then done with do's error, no sooner than atLeast
// from now.
func (w *Work) Go(atLeast time.Duration, do func(context.Context) error, done func(error)) {
	started := time.Now()
	w.wg.Go(func() {
		err := do(w.ctx)
		w.sleep(atLeast - time.Since(started))
		done(err)
	})
}

// Context ends when the cloud is closed.
func (w *Work) Context() context.Context { return w.ctx }

// Close cancels and waits.
func (w *Work) Close() {
	w.cancel()
	w.wg.Wait()
}

func (w *Work) sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-w.ctx.Done():
	}
}
