package repaircmd

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// step is one resource that the next up would create.
type step struct {
	URN, Type, Parent, Provider string

	Inputs inputs
	// pending says that a run was creating it when it ended.
	pending bool
}

// name is the resource's name in the program.
func (s step) name() string { return s.URN[strings.LastIndex(s.URN, "::")+2:] }

// kind is the last part of its type: "Droplet".
func (s step) kind() string { return s.Type[strings.LastIndex(s.Type, ":")+1:] }

// inputs are what a resource is to be created with. What is not known before
// is absent or not of the type that is asked for.
type inputs map[string]any

func (in inputs) text(key string) string { s, _ := in[key].(string); return s }

func (in inputs) number(key string) int64 { n, _ := in[key].(float64); return int64(n) }

// labels are Hetzner's.
func (in inputs) labels() string {
	all, _ := in["labels"].(map[string]any)
	return fmt.Sprintf("project=%v,stack=%v", all["project"], all["stack"])
}

// tag is the deployment's own on DigitalOcean, the first one.
func (in inputs) tag() string {
	all, _ := in["tags"].([]any)
	if len(all) == 0 {
		return ""
	}
	tag, _ := all[0].(string)
	return tag
}

// state is a stack's, as it was exported, and what matters of it.
type state struct {
	whole   map[string]json.RawMessage
	inner   map[string]json.RawMessage // the deployment
	known   map[string]bool            // by URN
	pending map[string]bool            // by URN: its creation was not seen to end
	total   int                        // operations that were not seen to end
	servers []server
	resized []step // volumes and servers whose change was not seen to end
}

// server is one that the state knows.
type server struct{ URN, Type, ID string }

func (c *cli) export(ctx context.Context) (*state, error) {
	out, err := c.Run(ctx, "stack", "export")
	if err != nil {
		return nil, err
	}
	s := &state{known: map[string]bool{}, pending: map[string]bool{}}
	var seen struct {
		Resources []server
		Pending   []struct {
			Type     string
			Resource struct{ URN, Type string }
		} `json:"pending_operations"`
	}
	for _, step := range []error{json.Unmarshal(out, &s.whole), json.Unmarshal(s.whole["deployment"], &s.inner), json.Unmarshal(s.whole["deployment"], &seen)} {
		if step != nil {
			return nil, fmt.Errorf("parse the stack's state: %w", step)
		}
	}
	for _, r := range seen.Resources {
		s.known[r.URN] = true
		if kind := (step{Type: r.Type}).kind(); kind == "Server" || kind == "Droplet" {
			s.servers = append(s.servers, r)
		}
	}
	s.total = len(seen.Pending)
	for _, p := range seen.Pending {
		changed := step{URN: p.Resource.URN, Type: p.Resource.Type}
		switch {
		case p.Type == "creating":
			s.pending[changed.URN] = true
		case p.Type == "updating" && slices.Contains([]string{"Droplet", "Server", "Volume"}, changed.kind()):
			s.resized = append(s.resized, changed)
		}
	}
	return s, nil
}

// settle writes the state back without the operations that did not end: each
// of them will be done again, and what it left in the cloud is known by now.
func (c *cli) settle(ctx context.Context, s *state) error {
	if s.total == 0 {
		return nil
	}
	delete(s.inner, "pending_operations")
	inner, err := json.Marshal(s.inner)
	if err != nil {
		return fmt.Errorf("encode the stack's state: %w", err)
	}
	s.whole["deployment"] = inner
	return c.withFile(ctx, s.whole, "stack", "import")
}

// readBack has the state say how large a volume or a server is whose change was not
// seen to end. Clouds refuse to make one as large as it is, so that no update would
// get past it.
func (c *cli) readBack(ctx context.Context, s *state) error {
	if len(s.resized) == 0 {
		return nil
	}
	args := []string{"refresh", "--yes", "--skip-preview"}
	for _, changed := range s.resized {
		args = append(args, "--target", changed.URN)
	}
	_, err := c.Run(ctx, args...)
	return err
}

// plan lists what the next up would create.
func (c *cli) plan(ctx context.Context, s *state) ([]step, error) {
	out, err := c.Preview(ctx)
	if err != nil {
		return nil, err
	}
	var preview struct {
		Steps []struct {
			Op       string
			NewState *struct {
				step

				Custom bool
			}
		}
	}
	if err := json.Unmarshal(out, &preview); err != nil {
		return nil, fmt.Errorf("parse the preview: %w", err)
	}
	var steps []step
	for _, p := range preview.Steps {
		if p.Op == "create" && p.NewState != nil && p.NewState.Custom {
			made := p.NewState.step
			made.pending = s.pending[made.URN]
			steps = append(steps, made)
		}
	}
	return steps, nil
}

// record is the value of Hetzner's set of one record.
func (in inputs) record() string {
	all, _ := in["records"].([]any)
	if len(all) != 1 {
		return ""
	}
	one, _ := all[0].(map[string]any)
	value, _ := one["value"].(string)
	return value
}
