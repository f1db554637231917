package images

import (
	_ "embed"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

//go:embed files/prometheus.yml
var prometheusConfig string

//go:embed files/alertmanager.yml
var alertmanagerConfig string

//go:embed files/blackbox.yml
var blackboxConfig string

//go:embed files/blackbox-entrypoint.sh
var blackboxEntrypoint string

//go:embed files/Caddyfile
var caddyfile string

const nobody = 65534

// monitoring are Prometheus, Alertmanager and the exporters.
func monitoring() []image {
	return []image{
		prometheus(),
		alertmanager(),
		exporter("docker.io/prom/node-exporter:v1.8.2", "prometheus-node-exporter", "/usr/bin/node_exporter", "9100/tcp"),
		exporter("quay.io/prometheuscommunity/postgres-exporter:v0.15.0", "prometheus-postgres-exporter", "/usr/bin/postgres_exporter", "9187/tcp"),
		redisExporter(),
		blackboxExporter(),
	}
}

func prometheus() image {
	return image{
		refs: []string{"docker.io/prom/prometheus:v2.53.2"},
		layers: []layer{busyboxBase(), {
			name: "prometheus", packages: []string{"prometheus"},
			drop: []string{"/etc/prometheus/", "/var/log/", "/var/lib/prometheus/"},
			files: []file{
				{path: "/etc/prometheus", mode: 0o755, uid: nobody, gid: nobody, dir: true},
				{path: "/etc/prometheus/prometheus.yml", mode: 0o644, content: prometheusConfig},
				{path: "/usr/share/prometheus/consoles", mode: 0o755, dir: true},
				{path: "/usr/share/prometheus/console_libraries", mode: 0o755, dir: true},
				{path: "/prometheus", mode: 0o755, uid: nobody, gid: nobody, dir: true},
			},
		}},
		config: v1.Config{
			User: "nobody", Env: []string{defaultPath}, WorkingDir: "/prometheus",
			Entrypoint: []string{"/bin/prometheus"},
			Cmd: []string{
				"--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus",
				"--web.console.libraries=/usr/share/prometheus/console_libraries",
				"--web.console.templates=/usr/share/prometheus/consoles",
			},
			ExposedPorts: set("9090/tcp"), Volumes: set("/prometheus"),
		},
	}
}

func alertmanager() image {
	return image{
		refs: []string{"docker.io/prom/alertmanager:v0.27.0"},
		layers: []layer{busyboxBase(), {
			name: "alertmanager", packages: []string{"prometheus-alertmanager"},
			drop: []string{"/etc/prometheus/", "/var/log/", "/var/lib/prometheus/"},
			move: map[string]string{"/usr/bin/prometheus-alertmanager": "/usr/bin/alertmanager"},
			files: []file{
				{path: "/etc/alertmanager", mode: 0o755, uid: nobody, gid: nobody, dir: true},
				{path: "/etc/alertmanager/alertmanager.yml", mode: 0o644, content: alertmanagerConfig},
				{path: "/alertmanager", mode: 0o755, uid: nobody, gid: nobody, dir: true},
			},
		}},
		config: v1.Config{
			User: "nobody", Env: []string{defaultPath}, WorkingDir: "/alertmanager",
			Entrypoint:   []string{"/bin/alertmanager"},
			Cmd:          []string{"--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"},
			ExposedPorts: set("9093/tcp"), Volumes: set("/alertmanager"),
		},
	}
}

// exporter is an image of one Debian package with one program, run as nobody.
func exporter(ref, pkg, binary, port string) image {
	return image{
		refs: []string{ref},
		layers: []layer{busyboxBase(), {
			name: pkg, packages: []string{pkg}, drop: []string{"/var/log/", "/var/lib/prometheus/", "/usr/share/"},
			move: map[string]string{"/usr/bin/" + pkg: binary},
		}},
		config: v1.Config{
			User: "nobody", Env: []string{defaultPath}, ExposedPorts: set(port),
			Entrypoint: []string{binary[len("/usr"):]},
		},
	}
}

// redisExporter is upstream's Alpine variant, the one that has a shell.
func redisExporter() image {
	return image{
		refs: []string{"docker.io/oliver006/redis_exporter:v1.62.0-alpine"},
		layers: []layer{busyboxBase(), {
			name: "redis-exporter", packages: []string{"prometheus-redis-exporter"},
			drop: []string{"/var/", "/usr/share/"},
			move: map[string]string{"/usr/bin/prometheus-redis-exporter": "/redis_exporter"},
		}},
		config: v1.Config{
			User: "59000:59000", Env: []string{defaultPath}, ExposedPorts: set("9121/tcp"),
			Entrypoint: []string{"/redis_exporter"},
		},
	}
}

func blackboxExporter() image {
	img := exporter("docker.io/prom/blackbox-exporter:v0.25.0", "prometheus-blackbox-exporter", "/usr/bin/blackbox_exporter", "9115/tcp")
	l := &img.layers[1]
	l.drop = append(l.drop, "/etc/prometheus/")
	l.move = map[string]string{"/usr/bin/prometheus-blackbox-exporter": "/usr/libexec/blackbox_exporter"}
	l.files = []file{
		{path: "/usr/bin/blackbox_exporter", mode: 0o755, content: blackboxEntrypoint},
		{path: "/etc/blackbox_exporter/config.yml", mode: 0o644, content: blackboxConfig},
	}
	img.config.User = "" // root upstream, for ICMP
	img.config.Cmd = []string{"--config.file=/etc/blackbox_exporter/config.yml"}
	return img
}

// caddyVersions are a version and the next: the same program, in images that
// differ.
var caddyVersions = []string{"2.11.9", "2.11.10"}

// caddy is Caddy with the rate_limit module, with the official image's paths.
func caddy(p program, version string) image {
	return image{
		refs: []string{"ghcr.io/construct-server/caddy:" + version},
		layers: []layer{busyboxBase(), {name: "caddy", files: []file{
			{path: "/usr/bin/caddy", mode: 0o755, program: p},
			{path: "/etc/caddy/Caddyfile", mode: 0o644, content: caddyfile},
			{path: "/config/caddy", mode: 0o755, dir: true},
			{path: "/data/caddy", mode: 0o755, dir: true},
			{path: "/srv", mode: 0o755, dir: true},
		}}},
		config: v1.Config{
			Env: []string{defaultPath, "CADDY_VERSION=v" + version, "XDG_CONFIG_HOME=/config", "XDG_DATA_HOME=/data"}, WorkingDir: "/srv",
			Cmd:          []string{"caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"},
			ExposedPorts: set("80/tcp", "443/tcp", "443/udp", "2019/tcp"),
		},
	}
}

// grafana is a small program that answers as Grafana's HTTP API does.
func grafana(p program) image {
	return image{
		refs: []string{"docker.io/grafana/grafana:11.1.4"},
		layers: []layer{busyboxBase(), {name: "grafana", files: slices.Concat(accounts(user{"grafana", 472, 0, "/usr/share/grafana"}), []file{
			{path: "/usr/share/grafana/bin/grafana", mode: 0o755, program: p},
			{path: "/run.sh", mode: 0o755, content: "#!/bin/sh\nexec /usr/share/grafana/bin/grafana server \"$@\"\n"},
			{path: "/etc/grafana/provisioning/datasources", mode: 0o755, uid: 472, dir: true},
			{path: "/etc/grafana/provisioning/dashboards", mode: 0o755, uid: 472, dir: true},
			{path: "/var/lib/grafana", mode: 0o755, uid: 472, dir: true},
			{path: "/var/log/grafana", mode: 0o755, uid: 472, dir: true},
		})}},
		config: v1.Config{
			User: "472",
			Env: []string{
				"PATH=/usr/share/grafana/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
				"GF_PATHS_CONFIG=/etc/grafana/grafana.ini", "GF_PATHS_DATA=/var/lib/grafana",
				"GF_PATHS_HOME=/usr/share/grafana", "GF_PATHS_PROVISIONING=/etc/grafana/provisioning",
			},
			WorkingDir: "/usr/share/grafana", Entrypoint: []string{"/run.sh"}, ExposedPorts: set("3000/tcp"),
		},
	}
}
