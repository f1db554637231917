package stacks

import (
	"cmp"
	"fmt"
	"sort"

	"github.com/distribution/reference"
)

// defaultImages are the third-party images by catalogue name. Caddy is our own
// build, since the stock one has no rate limiter; redis-exporter is the alpine
// variant, since the plain one is empty but for the binary and could not be
// health-checked.
func defaultImages() map[string]string {
	return map[string]string{
		"alertmanager":      "docker.io/prom/alertmanager:v0.27.0",
		"blackbox-exporter": "docker.io/prom/blackbox-exporter:v0.25.0",
		"caddy":             "ghcr.io/construct-server/caddy:2.11.9",
		"grafana":           "docker.io/grafana/grafana:11.1.4",
		"haproxy":           "docker.io/library/haproxy:2.8.14-bookworm",
		"loki":              "docker.io/grafana/loki:3.7.8",
		"node-exporter":     "docker.io/prom/node-exporter:v1.8.2",
		"otel-collector":    "docker.io/otel/opentelemetry-collector-contrib:0.165.1",
		"postgres":          "docker.io/library/postgres:16.4-bookworm",
		"postgres-exporter": "quay.io/prometheuscommunity/postgres-exporter:v0.15.0",
		"prometheus":        "docker.io/prom/prometheus:v2.53.2",
		"redis":             "docker.io/library/redis:7.2.5-bookworm",
		"redis-exporter":    "docker.io/oliver006/redis_exporter:v1.62.0-alpine",
		"redpanda":          "docker.io/redpandadata/redpanda:v24.3.3",
	}
}

// ImageNames lists the third-party images that may be overridden, sorted.
func ImageNames() []string {
	var names []string
	for name := range defaultImages() {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Reference is the image in full: registry, repository, tag and digest.
func (i Image) Reference() (string, error) {
	ref := i.Repository
	if i.Tag != "" {
		ref += ":" + i.Tag
	}
	if i.Digest != "" {
		ref += "@" + i.Digest
	}
	if i.Tag == "" && i.Digest == "" {
		return "", fmt.Errorf("image %q: neither tag nor digest", i.Repository)
	}
	return fullReference(ref)
}

// fullReference spells a reference out, registry included, so that a mirror
// can keep it as a path.
func fullReference(ref string) (string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", fmt.Errorf("image %q: %w", ref, err)
	}
	if reference.IsNameOnly(named) {
		return "", fmt.Errorf("image %q: neither tag nor digest", ref)
	}
	return named.String(), nil
}

// image is the reference that a service runs, mirror included.
func (r *renderer) image(s ServiceSpec) (string, error) {
	var ref string
	var err error
	if s.Image == ConstructImage {
		i, own := r.d.ServiceImages[cmp.Or(s.Program, s.Name)]
		if !own {
			i = r.d.Release
		}
		ref, err = i.Reference()
	} else {
		name, own := r.d.Images[s.Image]
		if !own {
			name = defaultImages()[s.Image]
		}
		ref, err = fullReference(name)
	}
	if err != nil {
		return "", err
	}
	if r.d.ImageMirror == "" {
		return ref, nil
	}
	ref = r.d.ImageMirror + "/" + ref
	if full, err := fullReference(ref); err != nil || full != ref {
		return "", fmt.Errorf("image mirror %q: not a registry in front of %q", r.d.ImageMirror, ref)
	}
	return ref, nil
}
