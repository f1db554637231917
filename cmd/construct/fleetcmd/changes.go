package fleetcmd

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// change is what the next `pulumi up` does to one service of one host.
type change struct {
	host, service string
	old, new      declared // zero: it does not run before, or not after
}

// declared is a service as a release's command shows it.
type declared struct {
	image, config string
	// restart is a digest: if it or the image changes, the service stops before it
	// starts anew. "": the next container of it starts beside the one that runs.
	restart string
	standIn bool // but a stand-in serves in the meantime
}

// restarts tells whether the service that runs stops before the next one starts,
// and nothing serves in between.
func (c change) restarts() bool { return c.anew() && !c.new.standIn }

// anew tells whether the service that runs stops before the next one starts.
func (c change) anew() bool {
	return c.old != declared{} && c.new.restart != "" && (c.old.image != c.new.image || c.old.restart != c.new.restart)
}

func (c change) String() string {
	what := "is replaced beside the one that serves"
	switch {
	case c.old == declared{}:
		return fmt.Sprintf("%s: %s is new: %s", c.host, c.service, c.new.image)
	case c.new == declared{}:
		return fmt.Sprintf("%s: %s goes", c.host, c.service)
	case c.restarts():
		what = "restarts"
	case c.anew():
		what = "is made anew while a stand-in serves"
	case c.new.restart != "":
		what = "takes it while it runs"
	}
	because := "another configuration"
	if c.old.image != c.new.image {
		because = c.old.image + " → " + c.new.image
	}
	return fmt.Sprintf("%s: %s %s: %s", c.host, c.service, what, because)
}

// declaration is the line of a release's command that shows a service.
var declaration = regexp.MustCompile(`(?m)^# ([a-z0-9-]+) (\S+) config ([0-9a-f]+)(?: (restart|standin) ([0-9a-f]+))?$`)

// releaseSuffix ends the names of the commands that release.
const releaseSuffix = "-release"

// parseChanges reads what `pulumi preview --json` printed.
func parseChanges(preview []byte) ([]change, error) {
	type state struct {
		Inputs struct {
			Create string `json:"create"`
		} `json:"inputs"`
	}
	var plan struct {
		Steps []struct {
			URN string `json:"urn"`
			Old *state `json:"oldState"`
			New *state `json:"newState"`
		} `json:"steps"`
	}
	if err := json.Unmarshal(preview, &plan); err != nil {
		return nil, fmt.Errorf("read the preview: %w", err)
	}
	var all []change
	for _, step := range plan.Steps {
		host, ok := strings.CutSuffix(step.URN[strings.LastIndex(step.URN, ":")+1:], releaseSuffix)
		if !ok || step.Old == nil || step.New == nil {
			continue // a host that is made, or goes: nothing of it runs on
		}
		all = append(all, compare(host, step.Old.Inputs.Create, step.New.Inputs.Create)...)
	}
	slices.SortStableFunc(all, func(a, b change) int { return strings.Compare(a.host, b.host) })
	return all, nil
}

// compare lists what differs between two releases of one host, by service.
func compare(host, earlier, next string) []change {
	before, after := services(earlier), services(next)
	var names []string
	for _, all := range []map[string]declared{before, after} {
		for name := range all {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var changes []change
	for _, name := range slices.Compact(names) {
		is, will := before[name], after[name]
		if is.image != will.image || is.config != will.config {
			changes = append(changes, change{host: host, service: name, old: is, new: will})
		}
	}
	return changes
}

func services(text string) map[string]declared {
	all := map[string]declared{}
	for _, found := range declaration.FindAllStringSubmatch(text, -1) {
		all[found[1]] = declared{image: found[2], config: found[3], restart: found[5], standIn: found[4] == "standin"}
	}
	return all
}
