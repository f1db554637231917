package control

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/host"
)

// Info says where everything is.
type Info struct {
	Hosts        string `json:"hosts"` // "container" or "dry"
	DigitalOcean string `json:"digitalocean"`
	Hetzner      string `json:"hetzner"`
	Control      string `json:"control"`
	PublicPrefix string `json:"public_prefix"`
	SSHPort      int    `json:"ssh_port"`
	DNS          string `json:"dns,omitempty"`      // host:port, UDP and TCP
	Registry     string `json:"registry,omitempty"` // host:port, HTTPS with CAPEM
	// ACMEDirectory is served over HTTPS with CAPEM; what it issues chains to
	// ACMERootPEM.
	ACMEDirectory string `json:"acme_directory,omitempty"`
	CAPEM         string `json:"ca_pem"`
	ACMERootPEM   string `json:"acme_root_pem,omitempty"`
}

// Control keeps the request log and the faults.
type Control struct {
	backend host.Backend
	logf    func(string, ...any)

	mu       sync.Mutex
	info     Info
	clouds   []api.Cloud
	requests []Request
	faults   []*Fault
	nextID   int
	hosts    []knownHost // every host ever made, oldest first
	timers   []*time.Timer
}

type knownHost struct{ id, name string }

// New returns a Control over a backend.
func New(backend host.Backend, logf func(format string, args ...any)) *Control {
	c := &Control{backend: backend, logf: logf}
	if b, can := backend.(host.Cutter); can {
		b.OnCommand(c.cut)
	}
	return c
}

// SetInfo sets what /_sim/info answers.
func (c *Control) SetInfo(i Info) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.info = i
}

// Close lifts what timers would have lifted later.
func (c *Control) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.timers {
		t.Stop()
	}
}

// Backend is the backend as the clouds should see it: hosts that a refuse-ssh
// fault names refuse from the moment they exist.
func (c *Control) Backend() host.Backend { return &faultyBackend{Backend: c.backend, control: c} }

type faultyBackend struct {
	host.Backend
	control *Control
}

// Create implements host.Backend.
func (b *faultyBackend) Create(ctx context.Context, s host.Spec) error {
	if err := b.Backend.Create(ctx, s); err != nil {
		return err
	}
	c := b.control
	c.mu.Lock()
	c.hosts = append(c.hosts, knownHost{s.ID, s.Hostname})
	refuse := slices.ContainsFunc(c.faults, func(f *Fault) bool { return f.Kind == RefuseSSH && f.matchesHost(s.ID, s.Hostname) })
	c.mu.Unlock()
	if !refuse {
		return nil
	}
	if err := b.RefuseSSH(ctx, s.ID, true); err != nil {
		return fmt.Errorf("refuse SSH on host %q: %w", s.ID, err)
	}
	return nil
}

// idOf finds a host by its id or its name; of several with one name, the newest.
func (c *Control) idOf(name string) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range slices.Backward(c.hosts) {
		if h.id == name || h.name == name {
			return h.id, true
		}
	}
	return "", false
}

// nameOf is the name of a host that was made once; empty if there was none.
func (c *Control) nameOf(id string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range c.hosts {
		if h.id == id {
			return h.name
		}
	}
	return ""
}

// Handler answers /_sim/.
func (c *Control) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_sim/info", c.getInfo)
	mux.HandleFunc("GET /_sim/requests", c.getRequests)
	mux.HandleFunc("POST /_sim/requests/reset", c.resetRequests)
	mux.HandleFunc("GET /_sim/resources", c.getResources)
	mux.HandleFunc("GET /_sim/hosts", c.getHosts)
	mux.HandleFunc("GET /_sim/hosts/{name}/commands", c.getHostCommands)
	mux.HandleFunc("GET /_sim/commands", c.getCommands)
	mux.HandleFunc("GET /_sim/faults", c.getFaults)
	mux.HandleFunc("POST /_sim/faults", c.addFault)
	mux.HandleFunc("DELETE /_sim/faults", c.clearFaults)
	return mux
}

func (c *Control) getInfo(w http.ResponseWriter, _ *http.Request) {
	c.mu.Lock()
	info := c.info
	c.mu.Unlock()
	api.Write(w, http.StatusOK, info)
}
