package stacks

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// hostLiveDir is where the host keeps the configuration of services that
// reload it: a directory for each service, never replaced, since its container
// mounts it, and in it the configuration directories by name.
const hostLiveDir = "/var/lib/construct/live"

// currentConfig is the link beside them that the host switches.
const currentConfig = "current"

// configSource is the directory on the host that a service mounts.
func configSource(s rendered) string {
	if s.spec.Reload != nil {
		return path.Join(hostLiveDir, s.spec.Name)
	}
	return path.Join(hostConfigDir, s.dir)
}

// started is a digest of the files that a start alone reads. In compose.yaml it
// makes a new container of a service that reloads the rest; "" where there are none.
func (r *renderer) started(s ServiceSpec, files []File) (string, error) {
	if len(s.Started) == 0 {
		return "", nil
	}
	parts := []string{"started"}
	for _, name := range s.Started {
		i := slices.IndexFunc(files, func(f File) bool { return f.Path == name })
		if i < 0 {
			return "", fmt.Errorf("configuration file %q: not there", name)
		}
		parts = append(parts, name, string(files[i].Content))
	}
	return r.digest(parts...)[:12], nil
}

// reloads are the manifest's lines that tell which directory a service takes,
// and how it is told.
func reloads(services []rendered) string {
	var out strings.Builder
	for _, s := range services {
		if s.spec.Reload != nil && s.dir != "" {
			fmt.Fprintf(&out, "reload %s %s %s\n", s.spec.Name, s.dir, strings.Join(s.spec.Reload, " "))
		}
	}
	return out.String()
}
