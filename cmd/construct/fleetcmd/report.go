package fleetcmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// What a host's state can be.
const (
	stateOK      = "ok"
	stateDiffers = "differs"
	stateSilent  = "no answer"
)

// report is a whole fleet's status.
type report struct {
	State string       `json:"state"` // the worst of the hosts'
	Hosts []hostReport `json:"hosts"`
	Wrong []string     `json:"wrong"` // about no single host
}

type hostReport struct {
	Name     string          `json:"name"`
	Server   string          `json:"server"`
	State    string          `json:"state"`
	Wrong    []string        `json:"wrong"` // what differs, or why it could not be asked
	Notes    []string        `json:"notes"` // worth knowing, not wrong
	Release  string          `json:"release"`
	Deployed attempt         `json:"deployed"`
	Firewall string          `json:"firewall"`
	Services []serviceReport `json:"services"`
	Disks    []disk          `json:"disks"`
	// Interruptions are the last ones of services with data: not wrong, and what
	// the next one will take.
	Interruptions []interruption `json:"interruptions"`
	Seconds       float64        `json:"seconds"`

	well, services int
}

type serviceReport struct {
	Name     string `json:"name"`
	State    string `json:"state"`
	Health   string `json:"health"`
	Restarts int    `json:"restarts"`
	Image    string `json:"image"`
	Digest   string `json:"digest"` // of the image; empty where it came from no registry
}

func newReport(answers []answer) *report {
	r := &report{State: stateOK, Hosts: []hostReport{}, Wrong: append([]string{}, judgeTags(answers)...)}
	if len(r.Wrong) > 0 {
		r.State = stateDiffers
	}
	for _, a := range answers {
		h := reportHost(a)
		if h.State == stateSilent || r.State == stateOK {
			r.State = h.State
		}
		r.Hosts = append(r.Hosts, h)
	}
	return r
}

func reportHost(a answer) hostReport {
	h := hostReport{
		Name: a.host.Name, Server: a.host.Server, State: stateOK, Seconds: a.took.Seconds(),
		Wrong: []string{}, Notes: []string{}, Services: []serviceReport{}, Disks: []disk{}, Interruptions: []interruption{}, services: len(a.host.Services),
	}
	if a.facts == nil {
		h.State, h.Wrong = stateSilent, []string{silence(a.err)}
		return h
	}
	f := a.facts
	h.Release, h.Deployed, h.Firewall, h.well = f.release, f.deployed, f.firewall, f.well(a.host.Services)
	h.Wrong = append(h.Wrong, judge(a.host, f)...)
	h.Notes = append(h.Notes, notes(f)...)
	h.Disks = append(h.Disks, f.disks...)
	h.Interruptions = append(h.Interruptions, f.interruptions...)
	for _, c := range f.containers {
		h.Services = append(h.Services, serviceReport{
			Name: c.service, State: c.state, Health: c.health, Restarts: c.restarts, Image: c.image, Digest: f.digest(c),
		})
	}
	if len(h.Wrong) > 0 {
		h.State = stateDiffers
	}
	return h
}

// silence says why a host could not be asked.
func silence(err error) string {
	var way *wayError
	if errors.As(err, &way) {
		return "not asked: the way there leads through " + way.via
	}
	return err.Error()
}

func notes(f *facts) []string {
	var all []string
	if f.lock != "" {
		all = append(all, "somebody deploys: "+f.lock)
	}
	if f.last.Result != "" && f.last.Result != "ok" || f.last.Action == "restore" {
		all = append(all, fmt.Sprintf("the last attempt went wrong: %s of %s at %s by %s, see construct-release history",
			f.last.Action, f.last.Digest, f.last.Time, f.last.Who))
	}
	if f.filters == "unknown" {
		all = append(all, "packet filter: a ruleset is loaded; whether it is the whole one could not be compared")
	}
	for _, c := range f.containers {
		if c.restarts > 0 && c.unwell() == "" {
			all = append(all, fmt.Sprintf("%s has restarted %d times", c.service, c.restarts))
		}
	}
	return all
}

func (r *report) code() int {
	switch r.State {
	case stateOK:
		return 0
	case stateSilent:
		return codeSilent
	}
	return codeDiffers
}

// print writes a line for each host, then what is wrong, and nothing else.
func (r *report) print(out io.Writer) error {
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "host\tstate\trelease\tdeployed\tservices\tdisks")
	for _, h := range r.Hosts {
		if h.State == stateSilent {
			fmt.Fprintf(w, "%s\t%s\t\t\t\t\n", h.Name, h.State)
			continue
		}
		var disks []string
		for _, d := range h.Disks {
			disks = append(disks, fmt.Sprintf("%s %d%%", d.Path, max(d.Used, d.Inodes)))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d of %d\t%s\n", h.Name, h.State, orDash(h.Release),
			orDash(strings.TrimSpace(h.Deployed.Time+" "+h.Deployed.Who)), h.well, h.services, strings.Join(disks, ", "))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(table.String()) {
		fmt.Fprintln(out, strings.TrimRight(line, " \n"))
	}
	return r.detail(out)
}

// detail writes what is wrong, line by line, and the sum.
func (r *report) detail(out io.Writer) error {
	var b strings.Builder
	for _, line := range r.Wrong {
		fmt.Fprintf(&b, "%s\n", line)
	}
	silent, differ := 0, 0
	for _, h := range r.Hosts {
		switch h.State {
		case stateSilent:
			silent++
		case stateDiffers:
			differ++
		}
		for _, line := range h.Wrong {
			fmt.Fprintf(&b, "%s: %s\n", h.Name, line)
		}
		for _, line := range h.Notes {
			fmt.Fprintf(&b, "%s: note: %s\n", h.Name, line)
		}
	}
	fmt.Fprintf(out, "\n%s", b.String())
	_, err := fmt.Fprintf(out, "%d hosts: %d as they should be, %d differ, %d could not be asked\n",
		len(r.Hosts), len(r.Hosts)-silent-differ, differ, silent)
	return err
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
