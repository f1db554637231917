package config

import (
	"fmt"
	"slices"
)

// maxEvents bounds every rate limit: the edge keeps a time for each.
const maxEvents = 1_000_000

func (v *validator) rateLimit() {
	r := v.RateLimit
	v.inRange("rateLimit.requestsPerMinute", r.RequestsPerMinute, 1, maxEvents)
	v.inRange("rateLimit.authPerMinute", r.AuthPerMinute, 1, maxEvents)
	v.inRange("rateLimit.registrationsPerHour", r.RegistrationsPerHour, 1, maxEvents)
	v.inRange("rateLimit.uploadsPerMinute", r.UploadsPerMinute, 1, maxEvents)
	for _, part := range []struct {
		key   string
		value int
	}{{"authPerMinute", r.AuthPerMinute}, {"uploadsPerMinute", r.UploadsPerMinute}} {
		if part.value > r.RequestsPerMinute && r.RequestsPerMinute > 0 && part.value <= maxEvents {
			v.add("rateLimit."+part.key, "is more than requestsPerMinute, of which it is a part",
				fmt.Sprintf("at most %d", r.RequestsPerMinute))
		}
	}
}

// longestRetry is a day: clients that are told more may never come back.
const longestRetry = 24 * 60 * 60

func (v *validator) maintenance() {
	m := v.Gateway.Maintenance
	v.inRange("gateway.maintenance.retryAfterSeconds", m.RetryAfterSeconds, 1, longestRetry)
	for i, p := range m.AllowedCIDRs {
		path := fmt.Sprintf("gateway.maintenance.allowedCidrs[%d]", i)
		switch {
		case !p.IsValid():
			v.add(path, "is not a network in CIDR notation", "for example 203.0.113.7/32")
		case p.Masked() != p:
			v.add(path, "has host bits set", p.Masked().String())
		case slices.Contains(m.AllowedCIDRs[:i], p):
			v.add(path, "is listed twice", "each network once")
		case isWide(p):
			v.add(path, "lets the whole Internet in", "the networks of those who test")
		}
	}
}
