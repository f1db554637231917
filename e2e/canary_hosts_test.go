package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// hostsKeepSecrets looks for a deployment's secrets on its running hosts: in the
// arguments and the environment of every process, in what Docker shows of
// containers and images, in all logs, and in every file, which may hold one only
// where it belongs and for its owner alone. on runs a command as the admin user
// and returns what it prints; secretsOf lists the secrets. It comes before
// whatever hands a secret to a command.
func hostsKeepSecrets(t *testing.T, on func(role, command string) string, roles []string, secrets map[string]string) {
	t.Helper()
	for _, role := range roles {
		h := newHostCheck(role, func(command string) string { return on(role, command) }, secrets)
		for _, leak := range h.all() {
			assert.Fail(t, "leak", "%s: %s", role, leak)
		}
	}
}

// hostCheck looks at one host.
type hostCheck struct {
	role    string
	on      func(command string) string
	find    *canaries
	secrets map[string]string
	leaks   []string
}

func newHostCheck(role string, on func(string) string, secrets map[string]string) *hostCheck {
	secrets = maps.Clone(secrets)
	delete(secrets, publicSecret)
	delete(secrets, previousPublicSecret)
	return &hostCheck{role: role, on: on, find: newCanaries(secrets), secrets: secrets}
}

// all is everything that is wrong on the host.
func (h *hostCheck) all() []string {
	containers := h.containers()
	h.processes(containers)
	h.images()
	h.logs(containers)
	h.scanFiles(containers)
	return h.leaks
}

func (h *hostCheck) leak(format string, args ...any) {
	h.leaks = append(h.leaks, fmt.Sprintf(format, args...))
}

// absent notes every secret that is in text.
func (h *hostCheck) absent(where, text string) {
	for _, what := range h.find.in(text) {
		h.leak("%s holds %s", where, what)
	}
}

// found are the names of the secrets in text.
func (h *hostCheck) found(text string) map[string]bool {
	names := map[string]bool{}
	for _, what := range h.find.in(text) {
		name, _, _ := strings.Cut(what, ", ")
		names[name] = true
	}
	return names
}

// inspected is what matters of a container here.
type inspected struct {
	id, service string
	user        string          // of its processes, as uid:gid
	holds       map[string]bool // secrets in its environment
}

var containerName = regexp.MustCompile(`^/?construct-(.+)-[0-9]+$`)

// containers reads all containers and checks what anybody who may ask Docker
// sees of them: secrets are in the environment of services that were given them
// in their environment file, and nowhere else.
func (h *hostCheck) containers() []inspected {
	var list []map[string]any
	said := h.on("sudo sh -c 'docker ps -aq | xargs docker inspect'")
	if err := json.Unmarshal([]byte(said), &list); err != nil || len(list) == 0 {
		h.leak("docker inspect says nothing of containers: %v", err)
	}
	var out []inspected
	for _, raw := range list {
		config, _ := raw["Config"].(map[string]any)
		id, _ := raw["Id"].(string)
		name, _ := raw["Name"].(string)
		user, _ := config["User"].(string)
		c := inspected{id: id, service: containerName.ReplaceAllString(name, "$1"), user: user}
		c.holds = h.found(fmt.Sprintln(config["Env"]))
		given := h.found(h.on("sudo sh -c 'cat /var/lib/construct/current/env/" + c.service + ".env 2>/dev/null || true'"))
		for secret := range c.holds {
			if !given[secret] {
				h.leak("the environment of %s holds %s, which its environment file does not", c.service, secret)
			}
		}
		delete(config, "Env")
		rest, err := json.Marshal(raw)
		if err != nil {
			h.leak("docker inspect %s: %v", c.service, err)
		}
		h.absent("docker inspect "+c.service, string(rest))
		out = append(out, c)
	}
	return out
}

// Between the parts of a process, and after a process.
const partEnd, processEnd = "\x1e", "\x1d"

var containerID = regexp.MustCompile(`docker[-/]([0-9a-f]{64})`)

// processes checks arguments and environment of every process of the host, those
// in containers included: they may have what their container has.
func (h *hostCheck) processes(containers []inspected) {
	listed := h.on(`sudo bash -c 'cd /proc && for p in [0-9]*; do { ` +
		`printf "%s\036" "$(<$p/comm)" "$(<$p/cgroup)" "$(tr "\0" " " <$p/cmdline)"; tr "\0" "\n" <$p/environ; printf "\035"; ` +
		`} 2>/dev/null; done; true'`)
	seen := 0
	for process := range strings.SplitSeq(listed, processEnd) {
		parts := strings.Split(process, partEnd)
		if len(parts) != 4 {
			continue // it ended meanwhile
		}
		seen++
		h.absent("the arguments of "+parts[0], parts[2])
		may := map[string]bool{}
		ids := containerID.FindAllStringSubmatch(parts[1], -1)
		for _, c := range containers {
			if len(ids) > 0 && ids[len(ids)-1][1] == c.id {
				may = c.holds
			}
		}
		for secret := range h.found(parts[3]) {
			if !may[secret] {
				h.leak("the environment of %s holds %s", parts[0], secret)
			}
		}
	}
	if seen <= len(containers) {
		h.leak("of all processes, %d were listed", seen)
	}
}

// images checks the layers' commands and the settings of all images.
func (h *hostCheck) images() {
	said := h.on(`sudo sh -c 'for i in $(docker image ls -q | sort -u); do docker image history --no-trunc $i; docker image inspect $i; done'`)
	if !strings.Contains(said, "CREATED BY") {
		h.leak("docker image history says nothing")
	}
	h.absent("an image", said)
}

// logs checks what the host and the services wrote.
func (h *hostCheck) logs(containers []inspected) {
	journal := h.on("sudo journalctl --no-pager --quiet --output=verbose")
	if journal == "" {
		h.leak("the journal is empty")
	}
	h.absent("the journal", journal)
	for _, c := range containers {
		h.absent("the log of "+c.service, h.on("sudo docker logs "+c.id+" 2>&1"))
	}
}
