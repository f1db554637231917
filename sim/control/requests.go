package control

import (
	"net/http"
	"time"

	"github.com/construct-server/infra/sim/api"
)

// Request is one API request that was answered.
type Request struct {
	Time   time.Time `json:"time"`
	Cloud  string    `json:"cloud"`
	Method string    `json:"method"`
	// Route is the path with its variables named, as /v2/droplets/{id}; the
	// path itself where the emulator has no such route.
	Route     string `json:"route"`
	Path      string `json:"path"`
	Status    int    `json:"status"` // 0 when the connection was dropped
	ElapsedMS int64  `json:"elapsed_ms"`
	Fault     string `json:"fault,omitempty"` // the kind of fault that struck
}

// Requests is the answer of GET /_sim/requests.
type Requests struct {
	Total int `json:"total"`
	// Counts is by "METHOD route".
	Counts   map[string]int `json:"counts"`
	Requests []Request      `json:"requests"`
}

// Requests returns the log since the last reset.
func (c *Control) Requests() Requests {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := Requests{Total: len(c.requests), Counts: map[string]int{}, Requests: append([]Request{}, c.requests...)}
	for _, r := range c.requests {
		out.Counts[r.Method+" "+r.Route]++
	}
	return out
}

// ResetRequests empties the log.
func (c *Control) ResetRequests() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = nil
}

func (c *Control) log(r Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, r)
}

func (c *Control) getRequests(w http.ResponseWriter, _ *http.Request) {
	api.Write(w, http.StatusOK, c.Requests())
}

func (c *Control) resetRequests(w http.ResponseWriter, _ *http.Request) {
	c.ResetRequests()
	api.Write(w, http.StatusNoContent, nil)
}
