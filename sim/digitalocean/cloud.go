package digitalocean

import (
	"fmt"
	"log"
	"net/http"
	"sync"
	"time"

	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/host"
	"github.com/digitalocean/godo"
	"github.com/google/uuid"
)

// requestsPerHour is DigitalOcean's documented budget for one token.
const requestsPerHour = 5000

// Options configure a Cloud.
type Options struct {
	Backend host.Backend // required
	Speed   api.Speed
	// RequestsPerHour defaults to 5000.
	RequestsPerHour int
	// Logf receives a line for every route the emulator lacks; default log.Printf.
	Logf func(format string, args ...any)
}

// Cloud is one emulated account. It is an http.Handler for paths under /v2.
type Cloud struct {
	backend host.Backend
	speed   api.Speed
	logf    func(string, ...any)
	limiter *api.Limiter
	work    *api.Work
	mux     *http.ServeMux

	// mu guards everything below. It is never held while the backend works.
	mu        sync.Mutex
	nextID    int
	vpcs      []*vpc
	keys      []*godo.Key
	tags      []string
	droplets  []*droplet
	volumes   []*volume
	firewalls []*firewall
	reserved  []*reservedIP
	domains   []*domain
	projects  []*project
	actions   map[int]*action

	// pushes has a lock of its own, which is never taken inside mu.
	pushes *api.Firewalls
}

var _ api.Cloud = (*Cloud)(nil)

// New returns an empty account.
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
		actions: map[int]*action{},
	}
	c.projects = []*project{newDefaultProject()}
	c.pushes = api.NewFirewalls(o.Backend, func(hostID string, err error) {
		c.logf("digitalocean: set firewall of host %q: %v", hostID, err)
	})
	c.mux = c.routes()
	return c
}

// firstID keeps the account's numbers in the range of real droplet ids, which
// do not fit 16 bits and are never confused with a small counter.
const firstID = 400_000_001

// Name implements api.Cloud.
func (c *Cloud) Name() string { return "digitalocean" }

// Close waits for running actions.
func (c *Cloud) Close() { c.work.Close() }

// Route implements api.Cloud.
func (c *Cloud) Route(r *http.Request) string {
	_, pattern := c.mux.Handler(r)
	return pattern
}

// ServeHTTP implements http.Handler.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Request-Id", uuid.NewString())
	if len(r.Header.Get("Authorization")) <= len("Bearer ") {
		c.WriteStatus(w, http.StatusUnauthorized, 0)
		return
	}
	if !c.limiter.Take(w.Header()) {
		c.WriteStatus(w, http.StatusTooManyRequests, 1)
		return
	}
	if c.Route(r) == "" {
		c.logf("digitalocean: no route for %s %s", r.Method, r.URL.Path)
		writeError(w, &apiError{http.StatusNotImplemented, "not_implemented",
			fmt.Sprintf("the simulator does not model %s %s", r.Method, r.URL.Path)})
		return
	}
	c.mux.ServeHTTP(w, r)
}

// id returns a fresh number. c.mu is held.
func (c *Cloud) id() int {
	c.nextID++
	return c.nextID
}

// syncFirewalls pushes every effective firewall that changed to its host.
func (c *Cloud) syncFirewalls() {
	c.pushes.Push(c.work.Context(), func() []api.Effective {
		c.mu.Lock()
		defer c.mu.Unlock()
		var want []api.Effective
		for _, d := range c.droplets {
			if d.built && !d.deleting {
				want = append(want, api.Effective{HostID: d.hostID(), Firewall: c.effective(d)})
			}
		}
		return want
	})
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
