package images

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// loki is a small program that answers as Loki does to agents and queries. Like
// the official image, it has no shell.
func loki(p program) image {
	return image{
		refs: []string{"docker.io/grafana/loki:3.7.8"},
		layers: []layer{{name: "loki", files: []file{
			{path: "/usr/bin/loki", mode: 0o755, program: p},
			{path: "/etc/loki", mode: 0o755, dir: true},
			{path: "/loki", mode: 0o755, uid: 10001, gid: 10001, dir: true},
			{path: "/tmp", mode: 0o1777, dir: true},
		}}},
		config: v1.Config{
			User: "10001", Env: []string{defaultPath}, WorkingDir: "/", Entrypoint: []string{"/usr/bin/loki"},
			Cmd: []string{"-config.file=/etc/loki/local-config.yaml"}, ExposedPorts: set("3100/tcp"),
		},
	}
}

// collector is the OpenTelemetry Collector with what a host's agent needs of
// it. The official image holds the program and certificates alone.
func collector(p program) image {
	return image{
		refs: []string{"docker.io/otel/opentelemetry-collector-contrib:0.165.1"},
		layers: []layer{{name: "collector", files: []file{
			{path: "/otelcol-contrib", mode: 0o755, program: p},
			{path: "/etc/otelcol-contrib", mode: 0o755, dir: true},
			{path: "/tmp", mode: 0o1777, dir: true},
		}}},
		config: v1.Config{
			User: "10001", Env: []string{defaultPath}, Entrypoint: []string{"/otelcol-contrib"},
			Cmd: []string{"--config", "/etc/otelcol-contrib/config.yaml"}, ExposedPorts: set("4317/tcp", "4318/tcp", "55679/tcp"),
		},
	}
}
