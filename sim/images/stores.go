package images

import (
	_ "embed"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

//go:embed files/postgres-entrypoint.sh
var postgresEntrypoint string

//go:embed files/redis-entrypoint.sh
var redisEntrypoint string

//go:embed files/redpanda-entrypoint.sh
var redpandaEntrypoint string

// postgresTags are a minor version and the next: the same programs, in images
// that differ.
var postgresTags = []string{"16.4-bookworm", "16.9-bookworm"}

// postgres is PostgreSQL 15 behind the contract of the official image of 16.
func postgres(tag string) image {
	l := layer{
		name: "postgres",
		packages: []string{
			"gosu", "libaudit1", "libbsd0", "libcap-ng0", "libcap2", "libcom-err2", "libcrypt1", "libedit2", "libffi8",
			"libgcrypt20", "libgmp10", "libgnutls30", "libgpg-error0", "libgssapi-krb5-2", "libhogweed6", "libicu72",
			"libidn2-0", "libk5crypto3", "libkeyutils1", "libkrb5-3", "libkrb5support0", "libldap-2.5-0", "liblz4-1",
			"liblzma5", "libmd0", "libnettle8", "libp11-kit0", "libpam0g", "libpq5", "libreadline8", "libsasl2-2",
			"libssl3", "libstdc++6", "libsystemd0", "libtasn1-6", "libunistring2", "libuuid1", "libxml2", "libxslt1.1",
			"libzstd1", "postgresql-15", "postgresql-client-15", "tzdata", "zlib1g",
		},
		drop: []string{
			// The JIT compiler alone would bring LLVM, 120 MB; extensions that need Perl go with it.
			"/usr/lib/postgresql/15/lib/bitcode/", "/usr/lib/postgresql/15/lib/llvmjit",
			"/usr/lib/postgresql/15/lib/pgxs/", "/usr/share/postgresql-common/",
			"/usr/share/zoneinfo/right/", "/usr/share/zoneinfo/posix/", "/usr/include/",
		},
		files: slices.Concat(accounts(user{"postgres", 999, 999, "/var/lib/postgresql"}), []file{
			{path: "/usr/lib/postgresql/16", link: "15"},
			{path: "/usr/share/postgresql/16", link: "15"},
			{path: "/docker-entrypoint-initdb.d", mode: 0o755, dir: true},
			{path: "/run/postgresql", mode: 0o3777, uid: 999, gid: 999, dir: true},
			{path: "/var/lib/postgresql", mode: 0o1777, uid: 999, gid: 999, dir: true},
			{path: "/var/lib/postgresql/data", mode: 0o1777, uid: 999, gid: 999, dir: true},
			{path: "/usr/local/bin/gosu", link: "/usr/sbin/gosu"},
			{path: "/usr/local/bin/docker-entrypoint.sh", mode: 0o755, content: postgresEntrypoint},
		}),
	}
	return image{
		refs:   []string{"docker.io/library/postgres:" + tag},
		layers: []layer{debianBase(), l},
		config: v1.Config{
			Env: []string{
				"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/16/bin",
				"LANG=C.UTF-8", "PG_MAJOR=16", "PG_VERSION=" + tag, "PGDATA=/var/lib/postgresql/data",
			},
			Entrypoint:   []string{"docker-entrypoint.sh"},
			Cmd:          []string{"postgres"},
			ExposedPorts: set("5432/tcp"),
			Volumes:      set("/var/lib/postgresql/data"),
			StopSignal:   "SIGINT",
		},
	}
}

// redis is Redis 7.0 behind the contract of the official image of 7.2.
func redis() image {
	l := layer{
		name: "redis",
		packages: []string{
			"gosu", "libatomic1", "libcap2", "libgcrypt20", "libgpg-error0", "libjemalloc2", "liblz4-1", "liblzf1",
			"liblzma5", "libssl3", "libstdc++6", "libsystemd0", "libzstd1", "redis-server", "redis-tools", "zlib1g",
		},
		drop: []string{"/etc/redis/", "/var/log/"},
		files: slices.Concat(accounts(user{"redis", 999, 999, "/home/redis"}), []file{
			{path: "/data", mode: 0o755, uid: 999, gid: 999, dir: true},
			{path: "/usr/local/bin/redis-server", link: "/usr/bin/redis-server"},
			{path: "/usr/local/bin/redis-cli", link: "/usr/bin/redis-cli"},
			{path: "/usr/local/bin/gosu", link: "/usr/sbin/gosu"},
			{path: "/usr/local/bin/docker-entrypoint.sh", mode: 0o755, content: redisEntrypoint},
		}),
	}
	return image{
		refs:   []string{"docker.io/library/redis:7.2.5-bookworm"},
		layers: []layer{debianBase(), l},
		config: v1.Config{
			Env:          []string{defaultPath},
			WorkingDir:   "/data",
			Entrypoint:   []string{"docker-entrypoint.sh"},
			Cmd:          []string{"redis-server"},
			ExposedPorts: set("6379/tcp"),
			Volumes:      set("/data"),
		},
	}
}

// redpanda is a Kafka-protocol broker with Redpanda's command line.
func redpanda(p program) image {
	l := layer{name: "redpanda", files: slices.Concat(accounts(user{"redpanda", 101, 101, "/var/lib/redpanda"}), []file{
		{path: "/usr/bin/redpanda", mode: 0o755, program: p},
		{path: "/usr/bin/rpk", link: "redpanda"},
		{path: "/entrypoint.sh", mode: 0o755, content: redpandaEntrypoint},
		{path: "/etc/redpanda", mode: 0o755, uid: 101, gid: 101, dir: true},
		{path: "/etc/redpanda/redpanda.yaml", mode: 0o644, uid: 101, gid: 101, content: "redpanda:\n  data_directory: /var/lib/redpanda/data\n  developer_mode: true\n"},
		{path: "/var/lib/redpanda", mode: 0o755, uid: 101, gid: 101, dir: true},
		{path: "/var/lib/redpanda/data", mode: 0o755, uid: 101, gid: 101, dir: true},
	})}
	return image{
		refs:   []string{"docker.io/redpandadata/redpanda:v24.3.3"},
		layers: []layer{debianBase(), l},
		config: v1.Config{
			User:       "101:101",
			Env:        []string{defaultPath},
			WorkingDir: "/",
			Entrypoint: []string{"/entrypoint.sh"},
			Cmd:        []string{"redpanda", "start", "--overprovisioned", "--smp", "1"},
		},
	}
}
