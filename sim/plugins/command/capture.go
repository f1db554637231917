package command

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/construct-server/infra/sim/plugins/provider"
)

// capture collects what a command prints and shows it line by line as
// `logging` says: both streams by default.
type capture struct {
	mu             sync.Mutex
	stdout, stderr bytes.Buffer
	both           bytes.Buffer
	show           *lines
	logging        string
}

func newCapture(ctx context.Context, in provider.Values) *capture {
	return &capture{
		logging: in.String("logging"),
		show:    &lines{emit: func(line string) { provider.Status(ctx, "%s", line) }},
	}
}

func (c *capture) stdin(in provider.Values) io.Reader {
	if text := in.String("stdin"); text != "" {
		return strings.NewReader(text)
	}
	return nil
}

// writers returns where the command's two streams go.
func (c *capture) writers() (stdout, stderr io.Writer) {
	return &stream{c: c, own: &c.stdout, shown: c.shows("stdout")},
		&stream{c: c, own: &c.stderr, shown: c.shows("stderr")}
}

func (c *capture) shows(name string) bool {
	return c.logging == "" || c.logging == "stdoutAndStderr" || c.logging == name
}

// flush shows a last line that lacks its newline.
func (c *capture) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.show.flush()
}

func (c *capture) printed() printed {
	c.mu.Lock()
	defer c.mu.Unlock()
	return printed{
		stdout: strings.TrimSuffix(c.stdout.String(), "\n"),
		stderr: strings.TrimSuffix(c.stderr.String(), "\n"),
	}
}

// failure words an error as the official provider does.
func (c *capture) failure(err error, text string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Errorf("%w: running %q:\n%s", err, text, c.both.String())
}

// stream is one of the two streams; the two may be written to concurrently.
type stream struct {
	c     *capture
	own   *bytes.Buffer
	shown bool
}

func (s *stream) Write(b []byte) (int, error) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.own.Write(b)
	s.c.both.Write(b)
	if s.shown {
		s.c.show.write(b)
	}
	return len(b), nil
}

// lines splits what is written into lines.
type lines struct {
	rest []byte
	emit func(string)
}

func (l *lines) write(b []byte) {
	l.rest = append(l.rest, b...)
	for {
		i := bytes.IndexByte(l.rest, '\n')
		if i < 0 {
			return
		}
		l.emit(strings.TrimSuffix(string(l.rest[:i]), "\r"))
		l.rest = l.rest[i+1:]
	}
}

func (l *lines) flush() {
	if len(l.rest) > 0 {
		l.emit(string(l.rest))
		l.rest = nil
	}
}
