package stacks

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
)

// manifest tells the deploy script, line by line, what the release needs from
// the host. Fields are separated by one space; none holds one.
func (r *renderer) manifest(b Bundle, services []rendered) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "format 1\nrole %s\ndigest %s\n", b.Role, b.Digest)
	dirs, mount := map[string]string{}, false
	for _, s := range services {
		mount = mount || s.spec.Stateful()
		for _, dir := range s.spec.Data {
			dirs[dir.Host] = fmt.Sprintf("dir %04o %d %d %s\n", dir.Mode, s.spec.UID, s.spec.GID, dir.Host)
		}
	}
	if mount {
		fmt.Fprintf(&out, "mount %s\n", DataRoot)
	}
	lines := make([]string, 0, len(dirs))
	for _, line := range dirs {
		lines = append(lines, line)
	}
	sort.Strings(lines)
	out.WriteString(strings.Join(lines, ""))
	out.WriteString(reloads(services))
	out.WriteString(rolls(services))
	out.WriteString(r.standIns(services))
	for _, s := range b.Services {
		state := "stateless"
		if s.Stateful {
			state = "stateful"
		}
		fmt.Fprintf(&out, "service %s %s %s %s\n", s.Name, s.Image, s.ConfigDigest, state)
	}
	out.WriteString(restarts(b.Services))
	return out.Bytes()
}

// restarts are the manifest's lines that tell which services with data are
// stopped and made anew, and by what: their image or that digest is another.
func restarts(services []Service) string {
	var out strings.Builder
	for _, s := range services {
		if s.Stateful && s.RestartDigest != "" {
			fmt.Fprintf(&out, "restart %s %s %s\n", s.Name, s.Image, s.RestartDigest)
		}
	}
	return out.String()
}

// rolls are the manifest's lines that tell which services are replaced without
// a gap: the digest of their configuration, as it labels their containers, the
// port of their HAProxy backend, 0 for none, and how long it may take to drain.
func rolls(services []rendered) string {
	var out strings.Builder
	for _, s := range services {
		if s.spec.Rolling {
			fmt.Fprintf(&out, "roll %s %s %d %d\n", s.spec.Name, s.digest, s.spec.Port, s.spec.DrainSec)
		}
	}
	return out.String()
}

// standIns are the manifest's lines that tell for which services a stand-in is
// started while they are made anew: the digest of what makes them so, beside the
// image, as it labels their containers, how long they may take to drain, and the
// ports that they have on the host.
func (r *renderer) standIns(services []rendered) string {
	var out strings.Builder
	for _, s := range services {
		if !s.spec.StandIn {
			continue
		}
		fmt.Fprintf(&out, "standin %s %s %d", s.spec.Name, s.restart, s.spec.DrainSec)
		for _, port := range s.spec.Public {
			fmt.Fprintf(&out, " %d/%s", port.Number, port.Protocol)
		}
		for _, port := range r.published(s.spec) {
			fmt.Fprintf(&out, " %d/tcp", port)
		}
		out.WriteString("\n")
	}
	return out.String()
}
