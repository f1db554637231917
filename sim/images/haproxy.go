package images

import (
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// haproxyVersions are a version and the next: the same program, in images that
// differ.
var haproxyVersions = []string{"2.8.14", "2.8.15"}

// haproxy is HAProxy 2.6 behind the contract of the official image of 2.8.
func haproxy(version string) image {
	l := layer{
		name: "haproxy",
		packages: []string{
			"haproxy", "libcap2", "libcrypt1", "libgcrypt20", "libgpg-error0", "liblua5.3-0", "liblz4-1", "liblzma5",
			"libopentracing-c-wrapper0", "libopentracing1", "libssl3", "libstdc++6", "libsystemd0", "libzstd1",
		},
		drop: []string{"/etc/haproxy/", "/usr/share/haproxy/", "/var/log/"},
		files: slices.Concat(accounts(user{"haproxy", 99, 99, "/var/lib/haproxy"}), []file{
			{path: "/var/lib/haproxy", mode: 0o755, uid: 99, gid: 99, dir: true},
			{path: "/usr/local/etc/haproxy", mode: 0o755, dir: true},
			{path: "/usr/local/sbin/haproxy", link: "/usr/sbin/haproxy"},
		}),
	}
	return image{
		refs:   []string{"docker.io/library/haproxy:" + version + "-bookworm"},
		layers: []layer{debianBase(), l},
		config: v1.Config{
			User:       "haproxy",
			Env:        []string{defaultPath, "HAPROXY_VERSION=" + version},
			WorkingDir: "/var/lib/haproxy",
			Cmd:        []string{"haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"},
			StopSignal: "SIGUSR1",
		},
	}
}
