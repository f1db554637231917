package provider

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// PollVariable names the environment variable that holds the time between two
// looks at something that the cloud is doing, and before the first one. The
// official providers wait 10 s before the first; the stand-ins wait 1 s, unless
// the variable holds another duration ("10s", "50ms").
const PollVariable = "CONSTRUCT_SIM_POLL"

const defaultPoll = time.Second

// errTimeout is wrapped with what was waited for.
var errTimeout = errors.New("timeout while waiting")

// PollInterval reads PollVariable.
func PollInterval() (time.Duration, error) {
	text := os.Getenv(PollVariable)
	if text == "" {
		return defaultPoll, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%s: %q is no positive duration (want, for example, 500ms)", PollVariable, text)
	}
	return d, nil
}

// Wait calls done after every interval until it reports true, fails, or the
// limit has passed.
func Wait(ctx context.Context, interval, limit time.Duration, what string, done func() (bool, error)) error {
	deadline := time.Now().Add(limit)
	for {
		if err := sleep(ctx, interval); err != nil {
			return fmt.Errorf("wait for %s: %w", what, err)
		}
		ok, err := done()
		if err != nil {
			return fmt.Errorf("wait for %s: %w", what, err)
		}
		if ok {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w for %s (%s)", errTimeout, what, limit)
		}
	}
}

// Retry calls try at once and again, with growing pauses of at most ten
// intervals, while again says that the error may pass, until the limit has
// passed.
func Retry(ctx context.Context, interval, limit time.Duration, again func(error) bool, try func() error) error {
	deadline := time.Now().Add(limit)
	for pause := interval / 2; ; pause = min(2*pause, 10*interval) {
		err := try()
		if err == nil || !again(err) {
			return err
		}
		if time.Now().Add(pause).After(deadline) {
			return fmt.Errorf("gave up after %s: %w", limit, err)
		}
		if serr := sleep(ctx, pause); serr != nil {
			return errors.Join(err, serr)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
