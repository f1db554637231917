package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/distribution/reference"
)

// ServiceNames lists the Construct services, which release.overrides may name.
func ServiceNames() []string {
	return []string{
		"auth-service", "delivery-worker", "gateway", "media-service",
		"messaging-service", "notification-service", "user-service",
	}
}

// ImageNames lists the third-party images, which images may name.
func ImageNames() []string {
	return []string{
		"alertmanager", "blackbox-exporter", "caddy", "grafana", "haproxy", "loki", "node-exporter", "otel-collector",
		"postgres", "postgres-exporter", "prometheus", "redis", "redis-exporter", "redpanda",
	}
}

// UsedImages are those of the third-party images that this deployment runs.
func (c *Config) UsedImages() []string {
	return slices.DeleteFunc(ImageNames(), func(name string) bool {
		switch name {
		case "caddy", "haproxy", "postgres", "redis":
			return false
		case "redpanda":
			return len(c.Kafka.Brokers) > 0
		case "loki", "otel-collector":
			return !c.Logs.Enabled
		}
		return !c.Roles.MediaEnabled // the monitoring
	})
}

// For returns what a service runs: the release, with the service's overrides
// put over it. A tag or digest of the override replaces both of the release's.
func (r Release) For(service string) ReleaseOverride {
	o := r.Overrides[service]
	o.Repository = orElse(o.Repository, r.Repository)
	if o.Tag == "" && o.Digest == "" {
		o.Tag, o.Digest = r.Tag, r.Digest
	}
	return o
}

var (
	tagSyntax    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
	digestSyntax = regexp.MustCompile(`^sha256:[a-f0-9]{64}$`)
)

const (
	wantRepository = "an image name without tag, for example ghcr.io/example/construct-server"
	wantVersion    = "tag, or digest"
)

func (v *validator) release() {
	r := v.Release
	if v.require("release.repository", r.Repository, wantRepository) {
		v.repository("release.repository", r.Repository)
	}
	if r.Tag == "" && r.Digest == "" {
		v.add("release.tag", "is missing, and so is digest", "one of the two")
	}
	v.version("release", r.Tag, r.Digest)
	v.inRange("release.soakSeconds", r.SoakSeconds, 0, 600)
	for _, name := range slices.Sorted(maps.Keys(r.Overrides)) {
		path, o := "release.overrides."+name, r.Overrides[name]
		if v.catalogued(path, name, ServiceNames()) {
			if o.Repository != "" {
				v.repository(path+".repository", o.Repository)
			}
			v.version(path, o.Tag, o.Digest)
		}
	}
}

func (v *validator) repository(path, repository string) {
	named, err := reference.ParseNormalizedNamed(repository)
	if err != nil {
		v.add(path, "is not an image name", wantRepository)
	} else if !reference.IsNameOnly(named) {
		v.add(path, "has a tag or digest of its own", wantRepository)
	}
}

// version checks a tag and a digest, of which at most one may be given.
func (v *validator) version(path, tag, digest string) {
	switch {
	case tag != "" && digest != "":
		v.add(path+".tag", "is set beside digest", "one of the two")
	case tag == "latest":
		v.add(path+".tag", "is a tag that moves, so that no preview can tell what it runs", "a version")
	case tag != "" && !tagSyntax.MatchString(tag):
		v.add(path+".tag", "is not an image tag", "a version, for example 0.7.0")
	case tag != "" && v.Release.RequireDigest:
		v.add(path+".tag", "is set although requireDigest is true", "digest in its place")
	}
	if digest != "" && !digestSyntax.MatchString(digest) {
		v.add(path+".digest", "is not a digest", "sha256: and 64 hex digits")
	}
}

// catalogued reports a name that is not in the catalogue.
func (v *validator) catalogued(path, name string, catalogue []string) bool {
	if slices.Contains(catalogue, name) {
		return true
	}
	if guess := nearest(name, catalogue); guess != "" {
		v.add(path, "unknown name", "perhaps "+guess)
	} else {
		v.add(path, "unknown name", "one of "+strings.Join(catalogue, ", "))
	}
	return false
}

func (v *validator) images() {
	for _, name := range slices.Sorted(maps.Keys(v.Images)) {
		path, image := "images."+name, v.Images[name]
		if !v.catalogued(path, name, ImageNames()) {
			continue
		}
		named, err := reference.ParseNormalizedNamed(image)
		tagged, isTagged := named.(reference.Tagged)
		_, isDigested := named.(reference.Digested)
		switch {
		case err != nil:
			v.add(path, "is not an image reference", "for example docker.io/library/postgres:16.4-bookworm")
		case !isTagged && !isDigested:
			v.add(path, "has neither tag nor digest", "one of the two")
		case isTagged && !isDigested && tagged.Tag() == "latest":
			v.add(path, "is a tag that moves, so that no preview can tell what it runs", "a version")
		case v.Release.RequireDigest && !isDigested:
			v.add(path, "has no digest although requireDigest is true", "name@sha256:…")
		}
	}
	for _, name := range v.UsedImages() {
		if _, named := v.Images[name]; v.Release.RequireDigest && !named {
			v.add("images."+name, "is missing although requireDigest is true: the pinned one is a tag", "name@sha256:…")
		}
	}
	if m := v.ImageMirror; m != "" && !isMirror(m) {
		v.add("imageMirror", "is not a registry", "host, port and path without https://, for example mirror.example.com:5000/hub")
	} else if room := maxReference - len("/") - v.longestImage(); m != "" && len(m) > room {
		v.add("imageMirror", "makes the name of an image too long", fmt.Sprintf("at most %d characters", room))
	}
}

// maxReference is the longest name of an image, without tag and digest.
const maxReference = 255

// longestImage is the length of the longest name of an image in use, spelled
// out; of the pinned ones, all are shorter than half of what is allowed.
func (v *validator) longestImage() int {
	all := slices.Collect(maps.Values(v.Images))
	for _, service := range ServiceNames() {
		all = append(all, v.Release.For(service).Repository)
	}
	longest := maxReference / 2
	for _, image := range all {
		if named, err := reference.ParseNormalizedNamed(image); err == nil {
			longest = max(longest, len(named.Name()))
		}
	}
	return longest
}

// isMirror says whether a prefix makes a valid reference whose first part is
// taken for a host.
func isMirror(m string) bool {
	host, _, _ := strings.Cut(m, "/")
	named, err := reference.ParseNormalizedNamed(m + "/docker.io/library/postgres")
	return err == nil && reference.Domain(named) == host
}

func (v *validator) registries() {
	seen := map[string]bool{}
	for i, r := range v.Registries {
		path := fmt.Sprintf("registries[%d]", i)
		const want = "a host such as ghcr.io"
		switch {
		case !v.require(path+".server", r.Server, want):
		case strings.Contains(r.Server, "/") || !isMirror(r.Server):
			v.add(path+".server", "is not a host", want+", without https:// or path")
		case seen[r.Server]:
			v.add(path+".server", "has a login already", "each registry once")
		}
		seen[r.Server] = true
		v.require(path+".username", r.Username, "the login name")
		v.require(path+".password", r.Password, "password or access token")
	}
}
