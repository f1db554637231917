package images

import (
	"fmt"
	"slices"
	"strings"
)

// user is an account in an image's /etc/passwd.
type user struct {
	name     string
	uid, gid int
	home     string
}

// accounts are the passwd and group files of an image with the given users.
func accounts(users ...user) []file {
	var passwd, group strings.Builder
	all := slices.Concat([]user{{"root", 0, 0, "/root"}, {"daemon", 1, 1, "/usr/sbin"}}, users, []user{{"nobody", 65534, 65534, "/nonexistent"}})
	for _, u := range all {
		fmt.Fprintf(&passwd, "%s:x:%d:%d::%s:/bin/sh\n", u.name, u.uid, u.gid, u.home)
		fmt.Fprintf(&group, "%s:x:%d:\n", u.name, u.gid)
	}
	return []file{
		{path: "/etc/passwd", mode: 0o644, content: passwd.String()},
		{path: "/etc/group", mode: 0o644, content: group.String()},
	}
}

// skeleton is what every root file system starts from: the merged /usr.
func skeleton() []file {
	var out []file
	for _, d := range []string{"/etc", "/proc", "/sys", "/dev", "/run", "/usr", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64", "/var", "/var/lib"} {
		out = append(out, file{path: d, mode: 0o755, dir: true})
	}
	for _, l := range []string{"bin", "sbin", "lib", "lib64"} {
		out = append(out, file{path: "/" + l, link: "usr/" + l})
	}
	return append(out,
		file{path: "/root", mode: 0o700, dir: true},
		file{path: "/tmp", mode: 0o1777, dir: true},
		file{path: "/var/tmp", mode: 0o1777, dir: true},
		file{path: "/var/run", link: "/run"},
		file{path: "/etc/nsswitch.conf", mode: 0o644, content: "passwd: files\ngroup: files\nhosts: files dns\n"},
	)
}

// debianBase is the ground of images that are built on Debian upstream: bash
// and coreutils, and neither curl nor wget.
func debianBase() layer {
	return layer{
		name: "debian",
		packages: []string{
			"base-files", "bash", "ca-certificates", "coreutils", "dash", "findutils", "grep", "gzip", "hostname",
			"libacl1", "libattr1", "libc-bin", "libc6", "libgcc-s1", "libgmp10", "libpcre2-8-0",
			"libselinux1", "libtinfo6", "mawk", "sed", "tar",
		},
		drop: []string{"/usr/sbin/update-ca-certificates", "/etc/ca-certificates", "/usr/share/base-files/", "/usr/share/zoneinfo/"},
		// What the packages' installation scripts would do.
		files: slices.Concat(skeleton(), accounts(), []file{
			{path: "/usr/bin/sh", link: "dash"},
			{path: "/usr/bin/awk", link: "mawk"},
		}),
		caBundle: true,
	}
}

// applets are the busybox commands that the upstream images' shells offer.
var applets = strings.Fields(`[ ash awk basename cat chmod chown cp cut date df dirname du echo env expr false find
	grep gunzip gzip head hostname id ip kill ln ls mkdir mktemp more mv nc netstat nslookup pgrep pidof ping printenv
	printf ps pwd readlink realpath rm rmdir sed seq sh sleep sort stat sync tail tar tee telnet test timeout top touch
	tr true uname uniq vi wc wget which whoami xargs`)

// busyboxBase is the ground of images that are built on busybox or Alpine
// upstream: sh and wget, no bash. The C library is there for Debian's binaries.
func busyboxBase() layer {
	files := slices.Concat(skeleton(), accounts())
	for _, a := range applets {
		files = append(files, file{path: "/usr/bin/" + a, link: "busybox"})
	}
	return layer{
		name: "busybox", packages: []string{"busybox-static", "ca-certificates", "libc6"},
		drop:  []string{"/usr/sbin/update-ca-certificates", "/etc/ca-certificates"},
		files: files, caBundle: true,
	}
}
