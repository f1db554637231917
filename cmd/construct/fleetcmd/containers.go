package fleetcmd

import (
	"fmt"
	"slices"
	"strings"
)

// of are the containers of a service.
func (f *facts) of(name string) []container {
	var mine []container
	for _, c := range f.containers {
		if c.service == name {
			mine = append(mine, c)
		}
	}
	return mine
}

func running(all []container) int {
	n := 0
	for _, c := range all {
		if c.state == "running" {
			n++
		}
	}
	return n
}

// rank orders containers, the best first.
func (c container) rank() int {
	switch {
	case c.unwell() == "":
		return 0
	case c.state == "running":
		return 1
	}
	return 2
}

// unwell says how a container is, empty if it is well.
func (c container) unwell() string {
	switch {
	case c.state != "running":
		said := fmt.Sprintf("%s, exit code %d, %d restarts", c.state, c.code, c.restarts)
		if c.oom {
			said += ", out of memory"
		}
		return said
	case c.health == "starting":
		return "starting, not healthy yet"
	case c.health != "healthy" && c.health != "none":
		return c.health
	}
	return ""
}

// digest is the content that a container's image is known by; empty where it
// came from no registry.
func (f *facts) digest(c container) string {
	repository, _, _ := strings.Cut(c.image, "@")
	if i := strings.LastIndex(repository, ":"); i > strings.LastIndex(repository, "/") {
		repository = repository[:i]
	}
	first := ""
	for _, name := range f.images[c.imageID] {
		from, digest, _ := strings.Cut(name, "@")
		if from == repository {
			return digest
		}
		if first == "" {
			first = digest // Docker shortens docker.io/library/redis to redis
		}
	}
	return first
}

// otherDigest is the digest of what runs, if its reference names another.
func (f *facts) otherDigest(c container) (string, bool) {
	_, want, pinned := strings.Cut(c.image, "@")
	has := slices.ContainsFunc(f.images[c.imageID], func(name string) bool { return strings.HasSuffix(name, "@"+want) })
	got := f.digest(c)
	return got, pinned && got != "" && !has
}

// madeAnew tells whether a container is not one of those that the release
// started. Releases before that was written down are not known.
func (f *facts) madeAnew(c container) bool {
	known := false
	for _, s := range f.started {
		if s.service == c.service {
			known = true
			if s.hash == c.hash && s.imageID == c.imageID {
				return false
			}
		}
	}
	return known
}

// well counts the services that have a container which is well.
func (f *facts) well(services []service) int {
	n := 0
	for _, s := range services {
		if slices.ContainsFunc(f.of(s.Name), func(c container) bool { return c.unwell() == "" }) {
			n++
		}
	}
	return n
}
