package fleetcmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// askCommand has a host tell what is on it.
const askCommand = "exec sudo /usr/local/sbin/construct-release facts"

// answer is what became of asking one host.
type answer struct {
	host  host
	facts *facts // nil: it could not be asked
	err   error
	took  time.Duration
}

// ask asks all hosts at once.
func (d *dialer) ask(ctx context.Context, hosts []host) []answer {
	answers := make([]answer, len(hosts))
	var all sync.WaitGroup
	for i, h := range hosts {
		all.Go(func() {
			start := time.Now()
			f, err := d.askOne(ctx, h)
			answers[i] = answer{host: h, facts: f, err: err, took: time.Since(start)}
		})
	}
	all.Wait()
	return answers
}

func (d *dialer) askOne(ctx context.Context, h host) (*facts, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	client, err := d.connect(ctx, h)
	if err != nil {
		return nil, err
	}
	session, err := client.NewSession()
	if err != nil {
		return nil, fmt.Errorf("open a session: %w", err)
	}
	defer func() { _ = session.Close() }() // its end is what Run returns
	stop := context.AfterFunc(ctx, func() { _ = session.Close() })
	defer stop()
	var stdout, stderr bytes.Buffer
	session.Stdout, session.Stderr = &stdout, &stderr
	err = remote(h, session.Run(askCommand))
	var ended *exit
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("the host was reached, but did not answer: %w", d.plain(ctx.Err()))
	case errors.As(err, &ended) && ended.err == nil:
		return nil, fmt.Errorf("construct-release facts ended with exit code %d: %s (a host of an earlier version lacks it: pulumi up)",
			ended.code, lastLine(stderr.String()))
	case err != nil:
		return nil, err
	}
	return parseFacts(stdout.String())
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
