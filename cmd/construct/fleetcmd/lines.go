package fleetcmd

import (
	"bytes"
	"io"
	"sync"
)

// lines writes whole lines, each with a prefix, so that several writers do not
// break into each other's.
type lines struct {
	to     io.Writer
	turn   *sync.Mutex // shared by those who write to the same place
	prefix string
	rest   []byte
}

// Write implements [io.Writer].
func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	end := bytes.LastIndexByte(l.rest, '\n') + 1
	if end == 0 {
		return len(p), nil
	}
	var out []byte
	for line := range bytes.Lines(l.rest[:end]) {
		out = append(append(out, l.prefix...), line...)
	}
	l.rest = bytes.Clone(l.rest[end:])
	l.turn.Lock()
	defer l.turn.Unlock()
	_, err := l.to.Write(out)
	return len(p), err
}

// end writes what has no end of line.
func (l *lines) end() {
	if len(l.rest) > 0 {
		_, _ = l.Write([]byte("\n")) // as with any other line, a reader that left is no error
	}
}
