package fleetcmd

import (
	"fmt"
	"strconv"
	"strings"
)

// factsFormat is the one that construct-release facts prints here.
const factsFormat = "1"

// facts are what a host says of itself.
type facts struct {
	host     string
	lock     string // who deploys just now; empty: nobody
	release  string // empty: none
	deployed attempt
	last     attempt
	services map[string]service // the current release's, by name
	// interruptions are the last ones of services with data.
	interruptions []interruption
	started       []container // service, hash and imageID alone: what the release put there
	containers    []container
	images        map[string][]string // names by digest, by image id
	silent        bool                // Docker does not answer
	firewall      string              // digest of the ruleset that stood its trial
	filters       string              // loaded, altered, absent or unknown
	unmounted     []string
	disks         []disk
}

// attempt is a line of a host's history.
type attempt struct {
	Time   string `json:"time"`
	Who    string `json:"who"`
	Action string `json:"action"`
	Digest string `json:"release"`
	Commit string `json:"commit"`
	Result string `json:"result"`
}

type container struct {
	service, state, health string
	restarts, code         int
	oom                    bool
	id, imageID, image     string
	hash                   string // Compose's, of the configuration
}

// interruption is what a release that made a service anew cost.
type interruption struct {
	Service string `json:"service"`
	Seconds int    `json:"seconds"` // at most
	At      string `json:"at"`
}

type disk struct {
	Path   string `json:"path"`
	Used   int    `json:"usedPercent"`
	Inodes int    `json:"usedInodesPercent"`
}

// parseFacts reads the lines of construct-release facts. Words that it does not
// know are a newer host's.
func parseFacts(text string) (*facts, error) {
	f := &facts{services: map[string]service{}, images: map[string][]string{}}
	first := true
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		word, rest, _ := strings.Cut(line, " ")
		if first && (word != "format" || rest != factsFormat) {
			return nil, fmt.Errorf("says %q (want format %s)", line, factsFormat)
		}
		first = false
		if err := f.add(word, rest); err != nil {
			return nil, fmt.Errorf("says %q: %w", line, err)
		}
	}
	if first {
		return nil, fmt.Errorf("says nothing (want format %s)", factsFormat)
	}
	return f, nil
}

func (f *facts) add(word, rest string) error {
	p := fields{words: strings.Fields(rest)}
	switch word {
	case "host":
		f.host = rest
	case "lock":
		f.lock = rest
	case "docker":
		f.silent = rest == "silent"
	case "release":
		if rest != "none" {
			f.release = rest
		}
	case "deployed":
		f.deployed = parseAttempt(rest)
	case "last":
		f.last = parseAttempt(rest)
	case "service":
		s := service{Name: p.text(), Image: p.text(), Config: p.text(), Stateful: p.text() == "stateful"}
		f.services[s.Name] = s
	case "started":
		f.started = append(f.started, container{service: p.text(), hash: p.text(), imageID: p.text()})
	case "interruption":
		f.interruptions = append(f.interruptions, interruption{Service: p.text(), Seconds: p.number(), At: p.text()})
	case "container":
		f.containers = append(f.containers, container{
			service: p.text(), state: p.text(), health: p.text(), restarts: p.number(), code: p.number(),
			oom: p.text() == "true", id: p.text(), imageID: p.text(), image: p.text(), hash: p.text(),
		})
	case "image":
		f.images[p.text()] = p.words
	case "firewall":
		f.firewall, f.filters = p.text(), p.text()
	case "mount":
		if path := p.text(); p.text() != "mounted" {
			f.unmounted = append(f.unmounted, path)
		}
	case "disk":
		f.disks = append(f.disks, disk{Path: p.text(), Used: p.number(), Inodes: p.number()})
	}
	return p.err
}

func parseAttempt(line string) attempt {
	parts := append(strings.Split(line, "\t"), make([]string, 6)...)
	return attempt{Time: parts[0], Who: parts[1], Action: parts[2], Digest: parts[3], Commit: parts[4], Result: parts[5]}
}

// fields are taken from a line one by one.
type fields struct {
	words []string
	err   error
}

func (p *fields) text() string {
	if len(p.words) == 0 {
		p.err = fmt.Errorf("too few fields")
		return ""
	}
	word := p.words[0]
	p.words = p.words[1:]
	return word
}

func (p *fields) number() int {
	n, err := strconv.Atoi(p.text())
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("not a number: %w", err)
	}
	return n
}
