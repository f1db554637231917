package e2e

import (
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// scanFiles checks every file of the host that holds a secret.
func (h *hostCheck) scanFiles(containers []inspected) {
	users := map[string]string{}
	for _, c := range containers {
		users[c.service] = c.user
	}
	holds := map[string]map[string]bool{}
	for line := range strings.Lines(h.on(h.search())) {
		file, match, _ := strings.Cut(line, "\x00")
		found := h.found(match)
		if len(found) == 0 {
			continue // a placeholder such as a run of zeros, which programs have as well
		}
		if holds[file] == nil {
			holds[file] = map[string]bool{}
		}
		maps.Copy(holds[file], found)
	}
	if len(holds) == 0 {
		h.leak("no file at all holds a secret: the search does not work")
	}
	for _, file := range slices.Sorted(maps.Keys(holds)) {
		want, allowed := h.belongs(file, users)
		if engineFiles.MatchString(file) {
			// Their modes are the engine's; a directory above keeps others out.
			if h.on("sudo -u nobody cat '"+file+"' 2>/dev/null | head -c 1 | wc -c") != "0\n" {
				h.leak("%s holds a secret, and everybody on the host may read it", file)
			}
		} else {
			mode, owner, _ := strings.Cut(strings.TrimSpace(h.on("sudo stat -c '%a %u:%g' '"+file+"'")), " ")
			if !slices.Contains([]string{"400", "440", "600", "640"}, mode) || owner != want {
				h.leak("%s holds a secret, has mode %s and belongs to %s (want %s, for it alone)", file, mode, owner, want)
			}
		}
		for _, secret := range slices.Sorted(maps.Keys(holds[file])) {
			if !allowed(secret) {
				h.leak("%s holds %s, which has no business there", file, secret)
			}
		}
	}
}

var (
	// configFile is a file of a service's configuration: of a directory named
	// by service and content, or by service alone.
	configFile = regexp.MustCompile(`/var/lib/construct/[a-z]+/(?:([a-z-]+)-[0-9a-f]{12}|([a-z-]+))/[^/]`)
	envFiles   = regexp.MustCompile(`/var/lib/construct/releases/[0-9a-f]+/env/[a-z-]+\.env$`)
	// engineFiles are Docker's and containerd's own records of a container, with
	// its environment.
	engineFiles = regexp.MustCompile(`/var/lib/docker/containers/[0-9a-f]{64}/config\.v2\.json$|` +
		`/run/containerd/io\.containerd\.runtime\.v2\.task/moby/[0-9a-f]{64}/config\.json$|` +
		`/var/lib/containerd/io\.containerd\.metadata\.v1\.bolt/meta\.db$`)
	// hostKeyFiles are the host's keys and the user data that they came in.
	hostKeyFiles = regexp.MustCompile(`/etc/ssh/ssh_host_(?:ed25519|ecdsa)_key$|/var/lib/cloud/|/run/cloud-init/`)
)

// belongs says who must own a file that holds secrets, and which it may hold.
func (h *hostCheck) belongs(file string, users map[string]string) (owner string, allowed func(secret string) bool) {
	services := func(secret string) bool { return !operatorOnly(secret) }
	if config := configFile.FindStringSubmatch(file); config != nil && !envFiles.MatchString(file) {
		return users[config[1]+config[2]], services
	}
	switch {
	case envFiles.MatchString(file), engineFiles.MatchString(file):
		return "0:0", services
	case hostKeyFiles.MatchString(file):
		return "0:0", func(secret string) bool {
			return strings.TrimSuffix(strings.TrimSuffix(secret, " in its file"), ", spare") == hostKeyOf(h.role)
		}
	default:
		return "0:0", func(string) bool { return false }
	}
}

// Letters and digits are turned on the way to a host, so that the search is not
// what it looks for: commands are recorded.
const (
	alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	turned   = "NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm5678901234"
)

// searched is where files are looked for, each without what is mounted below.
const searched = "/ /run /tmp /dev/shm /srv/construct /var/lib/docker"

// search is a command that prints, of every secret in every file, the file, a
// NUL and what is there.
func (h *hostCheck) search() string {
	var patterns strings.Builder
	turn := strings.NewReplacer(pairs(alphabet, turned)...)
	for _, name := range slices.Sorted(maps.Keys(h.secrets)) {
		for i, line := range randomLines(h.secrets[name]) {
			if i > 1 || len(line) < window || !utf8.ValidString(line) {
				continue // two lines of a key are enough; bytes are looked for as they are written
			}
			all := forms(line)
			for _, text := range []string{line, all["base64 at 0"], all["base64 at 1"], all["base64 at 2"], all["hexadecimal"]} {
				patterns.WriteString(turn.Replace(text) + "\n")
			}
		}
	}
	return fmt.Sprintf(`sudo bash -c 'p=$(mktemp -p /run) && trap "rm -f $p" EXIT && base64 -d <<<%s | tr %s %s >"$p" && `+
		`find %s -xdev -type f -size -64M ! -path "$p" -print0 2>/dev/null | sort -zu | xargs -0 -r grep -aoFsHZ -f "$p"; true'`,
		base64.StdEncoding.EncodeToString([]byte(patterns.String())), turned, alphabet, searched)
}

func pairs(from, to string) []string {
	var out []string
	for i := range len(from) {
		out = append(out, from[i:i+1], to[i:i+1])
	}
	return out
}
