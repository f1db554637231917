package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	logLinks  = "var/lib/docker/construct-logs"
	hostLinks = logLinks + "/construct-test-db-1"
)

// withLogs makes the release with the given services current and its log files
// those of the containers, by service.
func (h *target) withLogs(files map[string]string, services ...string) {
	h.t.Helper()
	manifest, containers := "format 1\n", ""
	for _, s := range services {
		manifest += "service " + s + " example.com/" + s + ":1 - stateless\n"
	}
	for service, file := range files {
		containers += service + " /" + file + "\n"
	}
	require.NoError(h.t, os.MkdirAll(filepath.Join(h.root, "var/lib/construct/releases/aa"), 0o755))
	h.write("var/lib/construct/releases/aa/manifest", manifest)
	require.NoError(h.t, os.RemoveAll(filepath.Join(h.root, "var/lib/construct/current")))
	require.NoError(h.t, os.Symlink("releases/aa", filepath.Join(h.root, "var/lib/construct/current")))
	require.NoError(h.t, os.WriteFile(filepath.Join(h.fake, "paths"), []byte(containers), 0o600))
}

// linkLogs runs logs.sh as the timer does.
func (h *target) linkLogs() {
	h.t.Helper()
	dir, err := filepath.Abs(".")
	require.NoError(h.t, err)
	for name, text := range map[string]string{
		"docker":     `case $1 in ps) cut -d ' ' -f 1 "$FAKE/paths" ;; inspect) cat "$FAKE/paths" ;; esac`,
		"journalctl": `echo "$*" >>"$FAKE/asked"; for a; do case $a in --cursor-file=*) : >"${a#*=}" ;; esac; done; echo '1795937000.5 db sshd[7]: Accepted publickey'`,
	} {
		require.NoError(h.t, os.WriteFile(filepath.Join(h.fake, name), []byte("#!/bin/sh\n"+text+"\n"), 0o700)) //nolint:gosec // a program
	}
	command := exec.CommandContext(h.t.Context(), "bash", "scripts/logs.sh")
	command.Env = []string{"PATH=" + h.fake + ":" + os.Getenv("PATH"), "CONSTRUCT_ROOT=" + h.root, "FAKE=" + h.fake, "CONSTRUCT_LIB=" + dir + "/scripts/lib"}
	out, err := command.CombinedOutput()
	require.NoError(h.t, err, "%s", out)
}

// linked lists what the agent may read of the containers, contents by service, sorted.
func (h *target) linked() []string {
	h.t.Helper()
	files, err := filepath.Glob(filepath.Join(h.root, hostLinks, "*", "*.log"))
	require.NoError(h.t, err)
	var list []string
	for _, file := range files {
		service := filepath.Base(filepath.Dir(file))
		if content, err := os.ReadFile(file); err == nil && service != "host" {
			list = append(list, service+" "+strings.TrimSpace(string(content)))
		}
	}
	slices.Sort(list)
	return list
}

func TestLogsAreLinked(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	require.NoError(t, os.MkdirAll(filepath.Join(h.root, logLinks), 0o750))
	docker := "var/lib/docker/containers/"
	for id, lines := range map[string]string{"web": "one", "agent": "mine", "other": "not of the fleet"} {
		require.NoError(t, os.MkdirAll(filepath.Join(h.root, docker, id), 0o750))
		h.write(docker+id+"/json.log", lines)
		h.write(docker+id+"/config.v2.json", "the environment")
	}
	files := map[string]string{"web": docker + "web/json.log", "log-agent": docker + "agent/json.log", "gone": docker + "gone/json.log"}
	h.withLogs(files, "web", "log-agent")
	h.linkLogs()
	assert.Equal(t, []string{"web one"}, h.linked())

	// Docker rotates: what was written before stays where it is.
	require.NoError(t, os.Rename(filepath.Join(h.root, files["web"]), filepath.Join(h.root, files["web"]+".1")))
	h.write(files["web"], "two")
	h.linkLogs()
	assert.Equal(t, []string{"web one", "web two"}, h.linked())
	h.linkLogs()
	assert.Equal(t, []string{"web one", "web two"}, h.linked(), "a second time")

	// Docker deletes: the agent has ten minutes.
	require.NoError(t, os.RemoveAll(filepath.Join(h.root, docker, "web")))
	h.linkLogs()
	assert.Equal(t, []string{"web one", "web two"}, h.linked())

	text := h.read(hostLinks + "/host/" + time.Now().UTC().Format(time.DateOnly) + ".log")
	assert.Regexp(t, `^\d+\.\d{6} construct-test-db-1 construct-logs: the log agent is shown \d+ files\n`, text)
	assert.Equal(t, 1, strings.Count(text, "construct-logs"), "once a minute")
	assert.Contains(t, text, "\n1795937000.5 db sshd[7]: Accepted publickey\n")
	asked, err := os.ReadFile(filepath.Join(h.fake, "asked"))
	require.NoError(t, err)
	calls := strings.Split(strings.TrimSpace(string(asked)), "\n")
	assert.Contains(t, calls[0], "--since=-10min", "all of the journal would be sent")
	assert.NotContains(t, calls[1], "--since")

	// The next release has no agent: nothing is kept for it.
	h.withLogs(files, "web")
	h.linkLogs()
	left, err := os.ReadDir(filepath.Join(h.root, logLinks))
	require.NoError(t, err)
	assert.Empty(t, left)
}

// The deletion of what Docker has deleted is by the time of that.
func TestLogLinksOfDeletedFilesGo(t *testing.T) {
	t.Parallel()
	text, err := script("logs.sh")
	require.NoError(t, err)
	h := newTarget(t)
	require.NoError(t, os.MkdirAll(filepath.Join(h.root, hostLinks, "web"), 0o750))
	h.withLogs(nil, "log-agent")
	h.write(hostLinks+"/web/1.log", "deleted")
	h.write(hostLinks+"/web/2.log", "deleted as well")
	require.NoError(t, os.Link(filepath.Join(h.root, hostLinks, "web/2.log"), filepath.Join(h.root, "kept.log")))
	changed := strings.Replace(text, "deleted_minutes=10", "deleted_minutes=-1", 1)
	require.NotEqual(t, text, changed)
	require.NoError(t, os.WriteFile(filepath.Join(h.fake, "logs.sh"), []byte(strings.ReplaceAll(changed, "+$deleted_minutes", "$deleted_minutes")), 0o600))
	dir, err := filepath.Abs("scripts/lib")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(h.fake, "journalctl"), []byte("#!/bin/sh\n"), 0o700)) //nolint:gosec // a program
	require.NoError(t, os.WriteFile(filepath.Join(h.fake, "docker"), []byte("#!/bin/sh\n"), 0o700))     //nolint:gosec // a program
	command := exec.CommandContext(t.Context(), "bash", filepath.Join(h.fake, "logs.sh"))
	command.Env = []string{"PATH=" + h.fake + ":" + os.Getenv("PATH"), "CONSTRUCT_ROOT=" + h.root, "CONSTRUCT_LIB=" + dir}
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, []string{"web deleted as well"}, h.linked())
}

// Where no agent is, or none yet, nothing is asked of anybody.
func TestNoLogsAreLinkedForNobody(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	h.linkLogs()
	require.NoError(t, os.MkdirAll(filepath.Join(h.root, logLinks), 0o750))
	h.linkLogs() // no release is current
	assert.False(t, h.exists(hostLinks))
	_, err := os.Stat(filepath.Join(h.fake, "asked"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}
