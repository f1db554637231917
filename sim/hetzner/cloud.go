package hetzner

import (
	"fmt"
	"log"
	"net/http"
	"strings"
	"sync"

	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/host"
	"github.com/google/uuid"
)

// requestsPerHour is Hetzner's documented budget for one project; tokenLength
// is the length of every token, in characters.
const (
	requestsPerHour = 3600
	tokenLength     = 64
)

// Options configure a Cloud.
type Options struct {
	Backend host.Backend // required
	Speed   api.Speed
	// RequestsPerHour defaults to 3600.
	RequestsPerHour int
	// Logf receives a line for every route the emulator lacks; default log.Printf.
	Logf func(format string, args ...any)
}

// Cloud is one emulated project. It is an http.Handler for paths under /v1.
type Cloud struct {
	backend host.Backend
	speed   api.Speed
	logf    func(string, ...any)
	limiter *api.Limiter
	work    *api.Work
	mux     *http.ServeMux

	// mu guards everything below. It is never held while the backend works.
	mu         sync.Mutex
	nextID     int64
	networks   []*network
	keys       []*sshKey
	groups     []*group
	primaryIPs []*primaryIP
	firewalls  []*firewall
	servers    []*server
	volumes    []*volume
	zones      []*zone
	actions    map[int64]*action

	// pushes has a lock of its own, which is never taken inside mu.
	pushes *api.Firewalls
}

var _ api.Cloud = (*Cloud)(nil)

// New returns an empty project.
func New(o Options) *Cloud {
	if o.RequestsPerHour == 0 {
		o.RequestsPerHour = requestsPerHour
	}
	if o.Logf == nil {
		o.Logf = log.Printf
	}
	c := &Cloud{
		backend: o.Backend, speed: o.Speed, logf: o.Logf,
		limiter: api.NewLimiter(o.RequestsPerHour),
		work:    api.NewWork(),
		nextID:  firstID,
		actions: map[int64]*action{},
	}
	c.pushes = api.NewFirewalls(o.Backend, func(hostID string, err error) {
		c.logf("hetzner: set firewall of host %q: %v", hostID, err)
	})
	c.mux = c.routes()
	return c
}

// firstID keeps the project's numbers in the range of real server ids.
const firstID = 50_000_001

// Name implements api.Cloud.
func (c *Cloud) Name() string { return "hetzner" }

// Close waits for running actions.
func (c *Cloud) Close() { c.work.Close() }

// Route implements api.Cloud.
func (c *Cloud) Route(r *http.Request) string {
	_, pattern := c.mux.Handler(r)
	return pattern
}

// ServeHTTP implements http.Handler.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Correlation-Id", uuid.NewString())
	token, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !isBearer || len(token) != tokenLength {
		c.WriteStatus(w, http.StatusUnauthorized, 0)
		return
	}
	if !c.limiter.Take(w.Header()) {
		c.WriteStatus(w, http.StatusTooManyRequests, 0)
		return
	}
	if c.Route(r) == "" {
		c.logf("hetzner: no route for %s %s", r.Method, r.URL.Path)
		writeError(w, &apiError{status: http.StatusNotImplemented, code: "not_implemented",
			message: fmt.Sprintf("the simulator does not model %s %s", r.Method, r.URL.Path)})
		return
	}
	c.mux.ServeHTTP(w, r)
}

// id returns a fresh number. c.mu is held.
func (c *Cloud) id() int64 {
	c.nextID++
	return c.nextID
}

// syncFirewalls pushes every effective firewall that changed to its host.
func (c *Cloud) syncFirewalls() {
	c.pushes.Push(c.work.Context(), func() []api.Effective {
		c.mu.Lock()
		defer c.mu.Unlock()
		var want []api.Effective
		for _, s := range c.servers {
			if s.built && !s.deleting {
				want = append(want, api.Effective{HostID: s.hostID(), Firewall: c.effective(s)})
			}
		}
		return want
	})
}
