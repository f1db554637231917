package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// metrics are the gateway's series. They are counted here by hand: three
// series do not justify a client library in a stand-in.
type metrics struct {
	mu       sync.Mutex
	requests map[[2]string]int // service, status
	seconds  map[string]float64
	count    map[string]int
}

func (m *metrics) observe(service string, status int, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.requests == nil {
		m.requests, m.seconds, m.count = map[[2]string]int{}, map[string]float64{}, map[string]int{}
	}
	m.requests[[2]string{service, fmt.Sprint(status)}]++
	m.seconds[service] += took.Seconds()
	m.count[service]++
}

// write prints the series in Prometheus' text format, sorted.
func (g *Gateway) writeMetrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	g.metrics.mu.Lock()
	defer g.metrics.mu.Unlock()
	var lines []string
	for k, n := range g.metrics.requests {
		lines = append(lines, fmt.Sprintf("gateway_requests_total{service=%q,status_code=%q} %d", k[0], k[1], n))
	}
	for s, n := range g.metrics.count {
		lines = append(lines,
			fmt.Sprintf("gateway_request_duration_seconds_count{service=%q} %d", s, n),
			fmt.Sprintf("gateway_request_duration_seconds_sum{service=%q} %g", s, g.metrics.seconds[s]))
	}
	for s, b := range g.breakers {
		lines = append(lines, fmt.Sprintf("gateway_circuit_breaker_state{service=%q} %d", s, b.current()))
	}
	slices.Sort(lines)
	for _, l := range lines {
		_, _ = fmt.Fprintln(w, l)
	}
}
