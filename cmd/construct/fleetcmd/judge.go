package fleetcmd

import (
	"fmt"
	"slices"
	"strings"
)

// full is when a disk is worth being told, in percent: where the alert on it
// becomes critical.
const full = 90

// judge lists what differs between what a host should run and what it says, each
// as a sentence that begins with what it is about.
func judge(want host, is *facts) []string {
	var wrong []string
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if is.host != want.Server {
		add("the host calls itself %q, should be %s", is.host, want.Server)
	}
	switch {
	case is.release == "":
		add("no release runs, should be %s", want.Release)
	case is.release != want.Release:
		add("release is %s, should be %s", is.release, want.Release)
	}
	if is.silent {
		add("Docker does not answer: what runs is not known")
	} else {
		for _, s := range want.Services {
			wrong = append(wrong, judgeService(s, is)...)
		}
		wrong = append(wrong, judgeStrangers(want, is)...)
	}
	wrong = append(wrong, judgeFirewall(want, is)...)
	for _, path := range is.unmounted {
		add("the data volume is not mounted at %s", path)
	}
	for _, d := range is.disks {
		if d.Used >= full || d.Inodes >= full {
			add("disk %s is %d %% full, of its inodes %d %%", d.Path, d.Used, d.Inodes)
		}
	}
	return wrong
}

// judgeService compares one service. While somebody holds the lock it may have
// two containers; the one that runs well counts.
func judgeService(want service, is *facts) []string {
	var wrong []string
	add := func(format string, args ...any) {
		wrong = append(wrong, want.Name+" "+fmt.Sprintf(format, args...))
	}
	mine := is.of(want.Name)
	if len(mine) == 0 {
		return []string{want.Name + " has no container"}
	}
	if n := running(mine); n > 1 && is.lock == "" {
		add("has %d containers", n)
	}
	c := slices.MinFunc(mine, func(a, b container) int { return a.rank() - b.rank() })
	if said := c.unwell(); said != "" {
		add("is %s", said)
	}
	if c.image != want.Image {
		add("runs %s, should run %s", c.image, want.Image)
	} else if digest, is := is.otherDigest(c); is {
		add("runs %s, which is not what is called %s", digest, want.Image)
	}
	if s, known := is.services[want.Name]; known && s.Config != want.Config {
		add("has the configuration %s, should have %s", s.Config, want.Config)
	}
	if is.lock == "" && is.madeAnew(c) {
		add("was made anew since the release, by hand: image or configuration are not the release's")
	}
	return wrong
}

// judgeStrangers names containers of services that should not be here.
func judgeStrangers(want host, is *facts) []string {
	var wrong []string
	for _, c := range is.containers {
		if !slices.ContainsFunc(want.Services, func(s service) bool { return s.Name == c.service }) {
			wrong = append(wrong, c.service+" runs here, and should not")
		}
	}
	slices.Sort(wrong)
	return slices.Compact(wrong)
}

func judgeFirewall(want host, is *facts) []string {
	switch {
	case is.filters == "absent", is.filters == "":
		return []string{"packet filter: no ruleset is loaded"}
	case is.filters != "loaded" && is.filters != "unknown":
		return []string{"packet filter: the rules in force are not those of ruleset " + is.firewall}
	case is.firewall != want.Firewall:
		return []string{fmt.Sprintf("packet filter: ruleset is %s, should be %s", is.firewall, want.Firewall)}
	}
	return nil
}

// judgeTags names images of one reference that differ from host to host: the tag
// was moved between two pulls.
func judgeTags(answers []answer) []string {
	seen := map[string]map[string][]string{} // reference, digest, hosts
	for _, a := range answers {
		if a.facts == nil {
			continue
		}
		for _, c := range a.facts.containers {
			digest := a.facts.digest(c)
			if digest == "" || strings.Contains(c.image, "@") {
				continue
			}
			if seen[c.image] == nil {
				seen[c.image] = map[string][]string{}
			}
			if hosts := seen[c.image][digest]; !slices.Contains(hosts, a.host.Name) {
				seen[c.image][digest] = append(hosts, a.host.Name)
			}
		}
	}
	var wrong []string
	for image, digests := range seen {
		if len(digests) < 2 {
			continue
		}
		var parts []string
		for digest, hosts := range digests {
			parts = append(parts, digest[:min(len(digest), 19)]+" on "+strings.Join(hosts, ", "))
		}
		slices.Sort(parts)
		wrong = append(wrong, image+" is not the same everywhere: "+strings.Join(parts, "; "))
	}
	slices.Sort(wrong)
	return wrong
}
