package repaircmd

import (
	"context"
	"fmt"
	"strings"
)

// cloud looks for what a step would create.
type cloud interface {
	// find tells whether the cloud already has it; nil: no.
	find(ctx context.Context, s step) (*found, error)
	// twins are servers that have the name of one that the state knows: a
	// client that heard no answer asked again.
	twins(ctx context.Context, known []server) ([]*found, error)
	// stopped tells whether a server is off, and how it is started; nil: it
	// is not, or it is gone.
	stopped(ctx context.Context, id string) (start func(context.Context) error, err error)
}

// found is something in the cloud that the state does not know.
type found struct {
	step

	id     string                          // as pulumi import wants it
	remove func(ctx context.Context) error // nil: it is taken into the state
	loses  string                          // why removing it loses nothing
	start  func(ctx context.Context) error // it is known, and off
	// leave says why nothing can be done about it here; empty otherwise.
	leave string
}

func (f *found) String() string {
	what := fmt.Sprintf("%s %s (%s)", f.kind(), f.label(), f.id)
	switch {
	case f.leave != "":
		return "leave   " + what + ": " + f.leave
	case f.start != nil:
		return "start   " + what + ": it is off, as one is that was being resized"
	case f.remove != nil:
		return "delete  " + what + ": " + f.loses
	}
	return "take up " + what
}

// Why removing something loses nothing.
const (
	noVolume   = "it holds no volume, and is made again"
	ourRecord  = "it says what ours will say, and is made again"
	notMounted = "no host has been told of it yet; it is attached again"
)

// label is the cloud's name of it.
func (f *found) label() string {
	if name := f.Inputs.text("name"); name != "" {
		return name
	}
	return f.name()
}

// adopt takes resources into the state, as if they had been created.
func (c *cli) adopt(ctx context.Context, s *state, all []*found) error {
	type entry struct {
		Type     string `json:"type"`
		Name     string `json:"name"`
		ID       string `json:"id"`
		Parent   string `json:"parent,omitempty"`
		Provider string `json:"provider,omitempty"`
	}
	names, entries := map[string]string{}, []entry{}
	// named gives a resource of the state a name in the file.
	named := func(urn string) string {
		if !s.known[urn] {
			return ""
		}
		name := fmt.Sprintf("r%d", len(names))
		for known, other := range names {
			if other == urn {
				return known
			}
		}
		names[name] = urn
		return name
	}
	for _, f := range all {
		provider := f.Provider
		if i := strings.LastIndex(provider, "::"); i >= 0 {
			provider = provider[:i] // a reference is URN::id
		}
		entries = append(entries, entry{f.Type, f.name(), f.id, named(f.Parent), named(provider)})
	}
	if len(entries) == 0 {
		return nil
	}
	return c.withFile(ctx, map[string]any{"nameTable": names, "resources": entries},
		"import", "--yes", "--skip-preview", "--protect=false", "--generate-code=false")
}
