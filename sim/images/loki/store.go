package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// line is one log record: when, whose, what.
type line struct {
	Nanos  int64
	Labels map[string]string
	Text   string
}

// store keeps lines in memory and, one JSON object each, in a file.
type store struct {
	mu        sync.Mutex
	lines     []line
	file      *os.File
	retention time.Duration // 0: for ever
}

func openStore(dir string, retention time.Duration) (*store, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("make %q: %w", dir, err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lines.json"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o640)
	if err != nil {
		return nil, fmt.Errorf("open lines: %w", err)
	}
	s := &store{file: f, retention: retention}
	decoder := json.NewDecoder(bufio.NewReader(f))
	for {
		var l line
		if err := decoder.Decode(&l); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return s, nil // a line cut short by a kill is lost
		} else if err != nil {
			return nil, fmt.Errorf("read lines: %w", err)
		}
		s.lines = append(s.lines, l)
	}
}

// add returns when the lines are in the file.
func (s *store) add(lines []line) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := bufio.NewWriter(s.file)
	encoder := json.NewEncoder(w)
	for _, l := range lines {
		if err := encoder.Encode(l); err != nil {
			return fmt.Errorf("write a line: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write lines: %w", err)
	}
	s.lines = append(s.lines, lines...)
	return nil
}

// all are the lines within the retention.
func (s *store) all() []line {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.retention == 0 {
		return s.lines
	}
	oldest := time.Now().Add(-s.retention).UnixNano()
	var kept []line
	for _, l := range s.lines {
		if l.Nanos >= oldest {
			kept = append(kept, l)
		}
	}
	s.lines = kept
	return kept
}
