package digitalocean

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/digitalocean/godo"
)

// action is one asynchronous change.
type action struct {
	id           int
	kind         string // "create", "power_off", "attach_volume", …
	resourceType string // "droplet", "volume", "reserved_ip"
	resourceID   int    // 0 for resources that have no number
	key          string // the volume's uuid or the address, empty for droplets
	droplet      int    // the droplet kept busy, 0 if none
	region       string
	status       string // "in-progress", "completed", "errored"
	started      time.Time
	completed    time.Time
}

// start runs do behind a new action of a. then runs under c.mu once do has
// succeeded. c.mu is held.
func (c *Cloud) start(a action, atLeast time.Duration, do func(context.Context) error, then func()) *action {
	a.id, a.status, a.started = c.id(), "in-progress", time.Now()
	c.actions[a.id] = &a
	c.work.Go(atLeast, do, func(err error) {
		c.mu.Lock()
		a.completed = time.Now()
		if err != nil {
			a.status = "errored"
			c.logf("digitalocean: action %s of %s: %v", a.kind, a.resourceType, err)
		} else {
			a.status = "completed"
			then()
		}
		c.mu.Unlock()
		if err == nil {
			c.syncFirewalls()
		}
	})
	return &a
}

// busy says whether a droplet has an action in progress. c.mu is held.
func (c *Cloud) busy(dropletID int) bool {
	for _, a := range c.actions {
		if a.droplet == dropletID && a.status == "in-progress" {
			return true
		}
	}
	return false
}

// view is an action as the API shows it. c.mu is held.
func (c *Cloud) view(a *action) *godo.Action {
	out := &godo.Action{
		ID: a.id, Status: a.status, Type: a.kind,
		StartedAt:    &godo.Timestamp{Time: a.started.UTC().Truncate(time.Second)},
		ResourceID:   a.resourceID,
		ResourceType: a.resourceType,
		RegionSlug:   a.region,
		Region:       regionView(a.region),
	}
	if !a.completed.IsZero() {
		out.CompletedAt = &godo.Timestamp{Time: a.completed.UTC().Truncate(time.Second)}
	}
	return out
}

type actionBody struct {
	Action *godo.Action `json:"action"`
}

type actionsBody struct {
	Actions []*godo.Action `json:"actions"`
	listMeta
}

// actionsWhere lists matching actions, newest first. c.mu is held.
func (c *Cloud) actionsWhere(match func(*action) bool) []*godo.Action {
	var out []*godo.Action
	for _, a := range c.actions {
		if match(a) {
			out = append(out, c.view(a))
		}
	}
	slices.SortFunc(out, func(a, b *godo.Action) int { return b.ID - a.ID })
	return out
}

func (c *Cloud) listActions(match func(r *http.Request) func(*action) bool) handler {
	return func(r *http.Request) (reply, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		page, meta := paginate(r, c.actionsWhere(match(r)))
		return ok(actionsBody{page, meta})
	}
}

func (c *Cloud) getAction(match func(r *http.Request) func(*action) bool) handler {
	return func(r *http.Request) (reply, error) {
		id, err := pathID(r, "action")
		if err != nil {
			return reply{}, err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		a, found := c.actions[id]
		if !found || !match(r)(a) {
			return reply{}, notFound()
		}
		return ok(actionBody{c.view(a)})
	}
}

func anyAction(*http.Request) func(*action) bool { return func(*action) bool { return true } }

func ofDroplet(r *http.Request) func(*action) bool {
	id, err := pathID(r, "id")
	return func(a *action) bool { return err == nil && a.droplet == id }
}

func ofKey(r *http.Request) func(*action) bool {
	key := r.PathValue("id")
	return func(a *action) bool { return a.key == key }
}
