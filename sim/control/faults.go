package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/host"
)

// Kinds of fault.
const (
	Latency    = "latency"     // wait delay_ms, then answer
	Status     = "status"      // answer with status, do nothing
	Capacity   = "capacity"    // answer that the region is full, do nothing
	LostAnswer = "lost-answer" // do it, then drop the connection
	Stall      = "stall"       // do nothing, and say nothing until the client has gone
	StallDone  = "stall-done"  // do it, and say nothing until the client has gone
	RefuseSSH  = "refuse-ssh"  // the host's SSH port refuses, for delay_ms or until cleared
	HostKey    = "host-key"    // the running host's sshd shows another host key, likewise
	CutSSH     = "cut-ssh"     // a command's connection is cut after delay_ms, the command carried out
	Loss       = "loss"        // percent of the hosts' packets are lost, for delay_ms or until cleared
)

// Fault is something that goes wrong on purpose. Every condition that is set
// must hold for it to strike.
type Fault struct {
	ID   int    `json:"id"`
	Kind string `json:"kind"`
	// Route is a regular expression over "METHOD /normalised/route".
	Route  string `json:"route,omitempty"`
	Method string `json:"method,omitempty"`
	// Host is a server's name or host id: for refuse-ssh, host-key and cut-ssh
	// the host at fault, for the others the name in the request's body.
	Host string `json:"host,omitempty"`
	// Command is a regular expression over an SSH command's text, its comments
	// included: for cut-ssh.
	Command string `json:"command,omitempty"`
	// Body is a regular expression over the request's body.
	Body       string `json:"body,omitempty"`
	Status     int    `json:"status,omitempty"`
	Skip       int    `json:"skip,omitempty"`  // requests or commands that match and are let by first
	Times      int    `json:"times,omitempty"` // strikes left; 0: no limit
	DelayMS    int    `json:"delay_ms,omitempty"`
	RetryAfter int    `json:"retry_after,omitempty"` // seconds
	Percent    int    `json:"percent,omitempty"`     // of packets, for loss

	// Struck counts how often it has struck.
	Struck int `json:"struck"`

	route, body, command *regexp.Regexp
	spent                bool
}

var kinds = []string{Latency, Status, Capacity, LostAnswer, Stall, StallDone, RefuseSSH, HostKey, CutSSH, Loss}

func (f *Fault) compile() error {
	if !slices.Contains(kinds, f.Kind) {
		return fmt.Errorf("kind %q is unknown (want one of %s)", f.Kind, strings.Join(kinds, ", "))
	}
	if f.Kind == Status && (f.Status < 400 || f.Status > 599) {
		return fmt.Errorf("status %d is not an error (want 400 to 599)", f.Status)
	}
	if f.ofHost() && f.Host == "" {
		return fmt.Errorf("%s wants a host", f.Kind)
	}
	if (f.Kind == Loss) != (f.Percent > 0) || f.Percent > 100 {
		return fmt.Errorf("%s of %d percent (want %s of 1 to 100)", f.Kind, f.Percent, Loss)
	}
	if f.Kind == Loss && f.Host != "" {
		return fmt.Errorf("%s is every host's (want no host)", f.Kind)
	}
	var err error
	if f.route, err = regexp.Compile(f.Route); err != nil {
		return fmt.Errorf("route: %w", err)
	}
	if f.body, err = regexp.Compile(f.Body); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	if f.command, err = regexp.Compile(f.Command); err != nil {
		return fmt.Errorf("command: %w", err)
	}
	if f.Command != "" && f.Kind != CutSSH {
		return fmt.Errorf("%s has no command (want %s)", f.Kind, CutSSH)
	}
	return nil
}

// ofHost tells whether it is a host that is at fault, not the API.
func (f *Fault) ofHost() bool { return f.Kind == RefuseSSH || f.Kind == HostKey }

// lasting tells whether it is a state, which begins and ends.
func (f *Fault) lasting() bool { return f.ofHost() || f.Kind == Loss }

func (f *Fault) matchesHost(id, name string) bool { return f.Host == id || f.Host == name }

func (f *Fault) matches(method, route string, body []byte) bool {
	if f.spent || f.ofHost() || f.Kind == CutSSH || f.Kind == Loss || f.Method != "" && f.Method != method || !f.route.MatchString(method+" "+route) {
		return false
	}
	if f.Host != "" {
		var named struct {
			Name string `json:"name"`
		}
		if json.Unmarshal(body, &named) != nil || named.Name != f.Host {
			return false
		}
	}
	return f.body.Match(body)
}

// AddFault makes a fault active and returns it with its id.
func (c *Control) AddFault(f Fault) (Fault, error) {
	if err := errors.Join(f.compile(), c.possible(f.Kind)); err != nil {
		return Fault{}, fmt.Errorf("add fault: %w", err)
	}
	c.mu.Lock()
	c.nextID++
	f.ID = c.nextID
	c.faults = append(c.faults, &f)
	c.mu.Unlock()
	if !f.lasting() {
		return f, nil
	}
	c.afflict(&f, true)
	if f.DelayMS > 0 {
		t := time.AfterFunc(time.Duration(f.DelayMS)*time.Millisecond, func() { c.drop(func(o *Fault) bool { return o.ID == f.ID }) })
		c.mu.Lock()
		c.timers = append(c.timers, t)
		c.mu.Unlock()
	}
	return f, nil
}

// possible tells whether the hosts can be at fault in this way.
func (c *Control) possible(kind string) error {
	if _, can := c.backend.(host.Cutter); kind == CutSSH && !can {
		return fmt.Errorf("%s: %s hosts do not say what they run (want dry hosts)", kind, c.backend.Kind())
	}
	if _, can := c.backend.(host.Loser); kind == Loss && !can {
		return fmt.Errorf("%s: %s hosts have no packets (want container hosts)", kind, c.backend.Kind())
	}
	return nil
}

// ClearFaults ends every fault.
func (c *Control) ClearFaults() { c.drop(func(*Fault) bool { return true }) }

// drop ends faults, and lets hosts that were at fault recover.
func (c *Control) drop(which func(*Fault) bool) {
	c.mu.Lock()
	var ended []*Fault
	c.faults = slices.DeleteFunc(c.faults, func(f *Fault) bool {
		if !which(f) {
			return false
		}
		if f.lasting() {
			ended = append(ended, f)
		}
		return true
	})
	c.mu.Unlock()
	for _, f := range ended {
		c.afflict(f, false)
	}
}

// cut answers a host that asks whether a command's connection breaks.
func (c *Control) cut(hostID, command string) (after time.Duration, cut bool) {
	name := c.nameOf(hostID)
	f := c.strike(func(f *Fault) bool {
		return f.Kind == CutSSH && !f.spent && (f.Host == "" || f.matchesHost(hostID, name)) && f.command.MatchString(command)
	})
	if f == nil {
		return 0, false
	}
	return time.Duration(f.DelayMS) * time.Millisecond, true
}

// strike returns the first fault that is met, and spends it once.
func (c *Control) strike(met func(*Fault) bool) *Fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.faults {
		if !met(f) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		f.Struck++
		if f.Times > 0 {
			f.Times--
			f.spent = f.Times == 0
		}
		hit := *f
		return &hit
	}
	return nil
}

func (c *Control) getFaults(w http.ResponseWriter, _ *http.Request) {
	c.mu.Lock()
	out := make([]Fault, 0, len(c.faults))
	for _, f := range c.faults {
		out = append(out, *f)
	}
	c.mu.Unlock()
	api.Write(w, http.StatusOK, map[string][]Fault{"faults": out})
}

func (c *Control) addFault(w http.ResponseWriter, r *http.Request) {
	var f Fault
	err := api.Decode(r, &f)
	if err == nil {
		f.Struck = 0
		f, err = c.AddFault(f)
	}
	if err != nil {
		api.Write(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	api.Write(w, http.StatusCreated, f)
}

func (c *Control) clearFaults(w http.ResponseWriter, _ *http.Request) {
	c.ClearFaults()
	api.Write(w, http.StatusNoContent, nil)
}
