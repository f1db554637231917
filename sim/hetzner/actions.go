package hetzner

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/hetznercloud/hcloud-go/v2/hcloud/schema"
)

// action is one asynchronous change.
type action struct {
	schema.Action
}

// ref names a resource of an action.
func ref(kind string, id int64) schema.ActionResourceReference {
	return schema.ActionResourceReference{ID: id, Type: kind}
}

// start runs do behind a new action; then runs under c.mu once do has
// succeeded. c.mu is held.
func (c *Cloud) start(command string, atLeast time.Duration, do func(context.Context) error, then func(), on ...schema.ActionResourceReference) schema.Action {
	a := &action{schema.Action{
		ID: c.id(), Status: "running", Command: command, Resources: on,
		Started: time.Now().UTC().Truncate(time.Second),
	}}
	c.actions[a.ID] = a
	out := a.Action
	c.work.Go(atLeast, do, func(err error) {
		c.mu.Lock()
		now := time.Now().UTC().Truncate(time.Second)
		a.Finished, a.Progress = &now, 100
		if err != nil {
			a.Status = "error"
			a.Error = &schema.ActionError{Code: "action_failed", Message: err.Error()}
			c.logf("hetzner: action %s: %v", command, err)
		} else {
			a.Status = "success"
			then()
		}
		c.mu.Unlock()
		if err == nil {
			c.syncFirewalls()
		}
	})
	return out
}

// done records an action that was over at once. c.mu is held.
func (c *Cloud) done(command string, on ...schema.ActionResourceReference) schema.Action {
	now := time.Now().UTC().Truncate(time.Second)
	a := &action{schema.Action{
		ID: c.id(), Status: "success", Command: command, Progress: 100,
		Resources: on, Started: now, Finished: &now,
	}}
	c.actions[a.ID] = a
	return a.Action
}

// busy says whether a resource has an action running. c.mu is held.
func (c *Cloud) busy(kind string, id int64) bool {
	for _, a := range c.actions {
		if a.Status == "running" && slices.Contains(a.Resources, ref(kind, id)) {
			return true
		}
	}
	return false
}

type actionBody struct {
	Action schema.Action `json:"action"`
}

type actionsBody struct {
	Actions []schema.Action `json:"actions"`
	Meta    *schema.Meta    `json:"meta,omitempty"`
}

// acted answers with one action.
func acted(a schema.Action) (reply, error) { return created(actionBody{a}) }

// actionsWhere lists matching actions, oldest first. c.mu is held.
func (c *Cloud) actionsWhere(match func(*action) bool) []schema.Action {
	out := []schema.Action{}
	for _, a := range c.actions {
		if match(a) {
			out = append(out, a.Action)
		}
	}
	slices.SortFunc(out, func(a, b schema.Action) int { return int(a.ID - b.ID) })
	return out
}

func (c *Cloud) listActions(r *http.Request) (reply, error) {
	ids := r.URL.Query()["id"]
	status := r.URL.Query()["status"]
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.actionsWhere(func(a *action) bool {
		return (len(ids) == 0 || slices.Contains(ids, strconv.FormatInt(a.ID, 10))) &&
			(len(status) == 0 || slices.Contains(status, a.Status))
	})
	page, meta := paginate(r, all)
	return ok(actionsBody{page, &meta})
}

// listActionsOf lists the actions of one resource of a kind.
func (c *Cloud) listActionsOf(kind string) handler {
	return func(r *http.Request) (reply, error) {
		id, err := pathID(r, kind)
		if err != nil {
			return reply{}, err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		all := c.actionsWhere(func(a *action) bool { return slices.Contains(a.Resources, ref(kind, id)) })
		page, meta := paginate(r, all)
		return ok(actionsBody{page, &meta})
	}
}

func (c *Cloud) getAction(r *http.Request) (reply, error) {
	id, err := pathID(r, "action")
	if err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	a, found := c.actions[id]
	if !found {
		return reply{}, notFound("action", id)
	}
	return ok(actionBody{a.Action})
}
