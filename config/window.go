package config

import (
	"fmt"
	"strings"
	"time"
)

// Window is a time that comes once a week, in UTC.
type Window struct {
	Day   time.Weekday
	Start time.Duration // since midnight
}

// window parses "Sun 02:00"; nil stands for "never" and for what is neither.
func (l *loader) window(path, text string) *Window {
	if text == "never" {
		return nil
	}
	day, start, _ := strings.Cut(text, " ")
	at, err := time.Parse("15:04", start)
	for d := time.Sunday; d <= time.Saturday && err == nil && len(start) == len("15:04"); d++ {
		if d.String()[:3] == day {
			return &Window{Day: d, Start: time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute}
		}
	}
	l.problems.add(path, fmt.Sprintf("%q is not a day of the week and a time", text), "for example Sun 02:00, or never")
	return nil
}
