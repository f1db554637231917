package images

import (
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// image is one entry of the catalogue: layers, lowest first, and what a
// container of it starts with.
type image struct {
	refs   []string
	layers []layer
	config v1.Config
}

// catalogue lists every image that hosts may pull.
func catalogue(p programs) []image {
	all := []image{redis(), redpanda(p.broker), grafana(p.grafana)}
	for _, version := range caddyVersions {
		all = append(all, caddy(p.caddy, version))
	}
	for _, version := range haproxyVersions {
		all = append(all, haproxy(version))
	}
	for _, tag := range postgresTags {
		all = append(all, postgres(tag))
	}
	all = append(all, monitoring()...)
	if p.collector.path != "" {
		all = append(all, loki(p.loki), collector(p.collector))
	}
	return append(all, construct(p.construct)...)
}

const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// set makes the config's sets, such as ports and volumes.
func set(names ...string) map[string]struct{} {
	out := map[string]struct{}{}
	for _, n := range names {
		out[n] = struct{}{}
	}
	return out
}

// constructReleases are the tags of the Construct services: releases, then
// ways in which a release can be broken. 0.8.0 brings a migration, so that
// going back from it to 0.7 does not start.
var constructReleases = []struct{ tag, version, fault string }{
	{"0.7.0", "0.7.0", ""},
	{"0.7.1", "0.7.1", ""},
	{"0.8.0", "0.8.0", ""},
	{"0.7.2-broken-exit", "0.7.2", "broken-exit"},
	{"0.7.2-broken-health", "0.7.2", "broken-health"},
	{"0.7.2-broken-later", "0.7.2", "broken-later"},
	{"0.7.2-broken-memory", "0.7.2", "broken-memory"},
	{"0.7.2-broken-logs", "0.7.2", "broken-logs"},
	{"0.7.2-broken-arch", "0.7.2", brokenArch},
}

// brokenArch is a release whose program is for another processor.
const brokenArch = "broken-arch"

// foreignProgram is the head of an ELF file for 64-bit ARM, which is as far as
// another processor's kernel reads it.
var foreignProgram = "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x02\x00\xb7\x00" + strings.Repeat("\x00", 44)

// construct holds all seven services under their names, as upstream: user
// root, port 8080 exposed, a default command that is not in the image.
func construct(p program) []image {
	l := layer{name: "construct", files: []file{
		{path: "/data/media", mode: 0o755, dir: true},
		{path: "/app", mode: 0o755, dir: true},
		{path: "/usr/local/bin/construct", mode: 0o755, program: p},
	}}
	for _, name := range []string{
		"gateway", "auth-service", "user-service", "notification-service",
		"messaging-service", "delivery-worker", "media-service",
	} {
		l.files = append(l.files, file{path: "/usr/local/bin/" + name, link: "construct"})
	}
	foreign := layer{name: "construct-foreign", files: slices.Clone(l.files)}
	foreign.files[2] = file{path: "/usr/local/bin/construct", mode: 0o755, content: foreignProgram}
	var out []image
	for _, r := range constructReleases {
		services := l
		if r.fault == brokenArch {
			services = foreign
		}
		out = append(out, image{
			refs:   []string{"ghcr.io/construct-server/construct-server:" + r.tag},
			layers: []layer{debianBase(), services},
			config: v1.Config{
				Env:          []string{defaultPath, "CONSTRUCT_SIM_VERSION=" + r.version, "CONSTRUCT_SIM_FAULT=" + r.fault},
				WorkingDir:   "/app",
				ExposedPorts: set("8080/tcp"),
				Cmd:          []string{"construct-server"},
			},
		})
	}
	return out
}
