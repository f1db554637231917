package control

import (
	"context"
	"net/http"
	"time"

	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/host"
)

// Command is one SSH command, as the API shows it.
type Command struct {
	Time      time.Time `json:"time"`
	User      string    `json:"user"`
	Text      string    `json:"text"`
	Exit      int       `json:"exit"`
	ElapsedMS int64     `json:"elapsed_ms"`
}

// Commands is the answer of GET /_sim/commands.
type Commands struct {
	Total int `json:"total"`
	// Hosts is by server name; hosts that are gone are included where the
	// backend remembers them.
	Hosts map[string][]Command `json:"hosts"`
}

// Resources lists what exists in every cloud, by "cloud/kind". An empty
// simulator gives an empty map.
func (c *Control) Resources() map[string][]api.Resource {
	c.mu.Lock()
	clouds := c.clouds
	c.mu.Unlock()
	out := map[string][]api.Resource{}
	for _, cloud := range clouds {
		for kind, list := range cloud.Resources() {
			out[cloud.Name()+"/"+kind] = list
		}
	}
	return out
}

// Hosts lists the hosts of every cloud.
func (c *Control) Hosts() []api.Host {
	c.mu.Lock()
	clouds := c.clouds
	c.mu.Unlock()
	out := []api.Host{}
	for _, cloud := range clouds {
		out = append(out, cloud.Hosts()...)
	}
	return out
}

// afflict begins or ends a fault that lasts.
func (c *Control) afflict(f *Fault, begin bool) {
	if f.Kind == Loss {
		c.lose()
		return
	}
	change := c.backend.RefuseSSH
	if f.Kind == HostKey {
		change = c.backend.SwapHostKey
	}
	for _, h := range c.Hosts() {
		if !f.matchesHost(h.ID, h.Name) {
			continue
		}
		if err := change(context.Background(), h.ID, begin); err != nil {
			c.logf("simulator: %s on host %q: %v", f.Kind, h.ID, err)
		}
	}
}

// lose has as many packets lost as the worst of the faults says.
func (c *Control) lose() {
	backend, can := c.backend.(host.Loser)
	if !can {
		return // no such fault was accepted
	}
	percent := 0
	c.mu.Lock()
	for _, f := range c.faults {
		percent = max(percent, f.Percent)
	}
	c.mu.Unlock()
	if err := backend.LosePackets(context.Background(), percent); err != nil {
		c.logf("simulator: %v", err)
	}
}

func (c *Control) getResources(w http.ResponseWriter, _ *http.Request) {
	api.Write(w, http.StatusOK, c.Resources())
}

func (c *Control) getHosts(w http.ResponseWriter, _ *http.Request) {
	api.Write(w, http.StatusOK, map[string][]api.Host{"hosts": c.Hosts()})
}

// Commands lists the commands run on every host so far.
func (c *Control) Commands(ctx context.Context) Commands {
	c.mu.Lock()
	hosts := append([]knownHost{}, c.hosts...)
	c.mu.Unlock()
	out := Commands{Hosts: map[string][]Command{}}
	for _, h := range hosts {
		list, err := c.backend.Commands(ctx, h.id)
		if err != nil {
			continue // gone, and not remembered
		}
		out.Hosts[h.name] = append(out.Hosts[h.name], commands(list)...)
		out.Total += len(list)
	}
	return out
}

func commands(list []host.Command) []Command {
	out := make([]Command, 0, len(list))
	for _, cmd := range list {
		out = append(out, Command{cmd.Time, cmd.User, cmd.Text, cmd.Exit, cmd.Elapsed.Milliseconds()})
	}
	return out
}

func (c *Control) getCommands(w http.ResponseWriter, r *http.Request) {
	api.Write(w, http.StatusOK, c.Commands(r.Context()))
}

func (c *Control) getHostCommands(w http.ResponseWriter, r *http.Request) {
	id, found := c.idOf(r.PathValue("name"))
	if !found {
		api.Write(w, http.StatusNotFound, map[string]string{"error": "no such host"})
		return
	}
	list, err := c.backend.Commands(r.Context(), id)
	if err != nil {
		api.Write(w, http.StatusNotFound, map[string]string{"error": err.Error()})
		return
	}
	api.Write(w, http.StatusOK, map[string][]Command{"commands": commands(list)})
}
