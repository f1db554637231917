package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// query is a LogQL stream selector with line filters: {role="app"} |= "error".
type query struct {
	matchers []matcher
	filters  []matcher // label is empty
}

type matcher struct {
	label, operator, value string
	pattern                *regexp.Regexp // of =~, !~ and |~
}

var (
	selectorPart = regexp.MustCompile("^\\s*([a-zA-Z_][a-zA-Z0-9_]*)\\s*(=~|!~|!=|=)\\s*(\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`)\\s*")
	filterPart   = regexp.MustCompile("^\\s*(\\|=|\\|~|!=|!~)\\s*(\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`)\\s*")
)

func parseQuery(s string) (query, error) {
	var q query
	rest, ok := strings.CutPrefix(strings.TrimSpace(s), "{")
	if !ok {
		return q, fmt.Errorf("parse %q: only stream selectors and line filters are known here", s)
	}
	for !strings.HasPrefix(rest, "}") {
		found := selectorPart.FindStringSubmatch(rest)
		if found == nil {
			return q, fmt.Errorf("parse %q: at %q", s, rest)
		}
		m, err := newMatcher(found[1], found[2], found[3])
		if err != nil {
			return q, err
		}
		q.matchers = append(q.matchers, m)
		rest = strings.TrimPrefix(rest[len(found[0]):], ",")
	}
	for rest = rest[1:]; strings.TrimSpace(rest) != ""; {
		found := filterPart.FindStringSubmatch(rest)
		if found == nil {
			return q, fmt.Errorf("parse %q: at %q", s, rest)
		}
		m, err := newMatcher("", found[1], found[2])
		if err != nil {
			return q, err
		}
		q.filters = append(q.filters, m)
		rest = rest[len(found[0]):]
	}
	if len(q.matchers) == 0 {
		return q, fmt.Errorf("parse %q: a selector needs a matcher", s)
	}
	return q, nil
}

func newMatcher(label, operator, quoted string) (matcher, error) {
	value, err := strconv.Unquote(quoted)
	if err != nil {
		return matcher{}, fmt.Errorf("parse %s: %w", quoted, err)
	}
	m := matcher{label: label, operator: operator, value: value}
	if strings.HasSuffix(operator, "~") {
		expression := value
		if label != "" { // of labels, all must match
			expression = "^(?:" + value + ")$"
		}
		if m.pattern, err = regexp.Compile(expression); err != nil {
			return matcher{}, fmt.Errorf("parse %s: %w", quoted, err)
		}
	}
	return m, nil
}

func (q query) matches(l line) bool {
	for _, m := range q.matchers {
		if !m.holds(l.Labels[m.label]) {
			return false
		}
	}
	for _, m := range q.filters {
		if !m.holds(l.Text) {
			return false
		}
	}
	return true
}

func (m matcher) holds(s string) bool {
	var found bool
	switch {
	case m.pattern != nil:
		found = m.pattern.MatchString(s)
	case m.label != "":
		found = s == m.value
	default:
		found = strings.Contains(s, m.value)
	}
	return found != strings.HasPrefix(m.operator, "!")
}
