package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim/host/dry"
)

// TestNoSecretLeaks gives every secret a value that is nowhere else, and looks
// for it, in every encoding, in all that a stack's life prints, stores, sends
// and runs. It waits for eight runs of the engine on each cloud.
func TestNoSecretLeaks(t *testing.T) {
	if testing.Short() {
		t.Skip("short: runs the engine eight times a cloud")
	}
	for _, cloud := range clouds {
		t.Run(string(cloud), func(t *testing.T) {
			t.Parallel()
			r := startCanaries(t, cloud)
			stop := watch(t.Context(), r.find, knows)

			r.pulumi(t, true, "preview", "--event-log")
			r.pulumi(t, true, "preview", "--diff", "--event-log")
			r.failingUp(t)
			r.pulumi(t, true, "up", "--yes", "--skip-preview", "--event-log", "--debug", "--logtostderr", "-v=9")
			r.checkHosts(t)
			r.rotatedPreview(t)
			r.pulumi(t, true, "refresh", "--yes", "--event-log")
			r.pulumi(t, true, "stack", "export")
			r.pulumi(t, true, "stack", "output", "--json")
			r.pulumi(t, true, "config")
			r.pulumi(t, true, "destroy", "--yes", "--event-log")
			r.stored(t)
			r.sent(t)
			r.commands(t)

			leaks, looked := stop()
			assert.Empty(t, leaks, "processes of the operator's machine hold secrets")
			assert.Greater(t, looked, 100, "hardly a process was seen")
		})
	}
}

// knows says which processes have a secret because they need it: the program
// has the configuration, each provider its own token.
func knows(program, variable, secret string) bool {
	switch {
	case variable != "PULUMI_CONFIG":
		return false
	case program == "program":
		return true
	case program == "pulumi-resource-digitalocean":
		return secret == "digitalocean:token"
	default:
		return program == "pulumi-resource-hcloud" && secret == "hcloud:token"
	}
}

// canaryRun is a lab whose secrets are canaries, driven by the real CLI.
type canaryRun struct {
	*lab.Lab
	dir     string
	find    *canaries
	secrets map[string]string
	wire    *wire
	started time.Time
	failing atomic.Bool
	runs    int

	mu    sync.Mutex
	stdin map[string][]byte // of every release command, by its first line
	// odd is what no command should get on its standard input.
	odd []string
}

func startCanaries(t *testing.T, cloud config.Cloud) *canaryRun {
	t.Helper()
	r := &canaryRun{dir: t.TempDir(), stdin: map[string][]byte{}, started: time.Now()}
	r.failing.Store(true)
	r.Lab = startDryWith(t, cloud, dry.Options{Execute: r.execute})
	r.wire = newWire(t, r.Sim.Info().DigitalOcean)
	settings := everythingOn(r.Settings)
	settings["digitalocean:apiEndpoint"], settings["hcloud:endpoint"] = r.wire.URL, r.wire.URL+"/v1"
	require.NoError(t, r.Configure(t.Context(), withCanaries(t, r.Lab, settings)))
	r.secrets = secretsOf(t, r.Lab)
	for _, path := range config.SecretPaths() {
		require.NotEmpty(t, r.secrets[path], "%s has no value to look for", path)
	}
	r.find = newCanaries(r.secrets)
	for _, dir := range []string{"bin", "tmp"} {
		require.NoError(t, os.Mkdir(filepath.Join(r.dir, dir), 0o700))
	}
	// git is the one program that the program runs.
	git := "#!/bin/bash\n{ tr '\\0' '\\n' </proc/$$/cmdline; tr '\\0' '\\n' </proc/$$/environ; } >>" + r.dir + "/git\nPATH=${PATH#*:} exec git \"$@\"\n"
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "bin", "git"), []byte(git), 0o700)) //nolint:gosec // a program
	return r
}

// execute is every host's answer to a command. The message server's first
// release fails, in the deploy scripts' own words.
func (r *canaryRun) execute(_, command string, stdin []byte) (stdout, stderr string, exit int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	release := strings.Contains(command, "construct-release apply")
	if release {
		first, _, _ := strings.Cut(command, "\n")
		r.stdin[first] = stdin
	}
	if !release && !strings.Contains(command, "construct-release pull") {
		for _, what := range r.find.in(string(stdin)) {
			if !ownHostKey(command, what) {
				r.odd = append(r.odd, command+": "+what)
			}
		}
	}
	if r.failing.Load() && strings.Contains(command, "construct-test-message-1\n") && strings.Contains(command, "construct-release") {
		return r.sick("failing").run(command, stdin)
	}
	return "", "", 0
}

// ownHostKey tells whether a command brings a host a key of its own.
func ownHostKey(command, what string) bool {
	key, isKey := strings.CutPrefix(what, "host key of ")
	role, _, _ := strings.Cut(key, ",")
	return isKey && strings.Contains(command, "construct-access") && strings.Contains(command, "construct-test-"+role+"-1")
}

func (r *canaryRun) sick(name string) sick {
	root, _ := filepath.Abs("..")
	return sick{root: root, dir: filepath.Join(r.dir, name), secrets: r.secrets}
}

// pulumi runs the CLI as an operator does and looks at all that it says.
// --event-log is completed by a file, which is looked at as well.
func (r *canaryRun) pulumi(t *testing.T, well bool, args ...string) string {
	t.Helper()
	r.runs++
	events := filepath.Join(r.dir, fmt.Sprintf("events-%d", r.runs))
	if i := slices.Index(args, "--event-log"); i >= 0 {
		args = slices.Insert(slices.Clone(args), i+1, events)
	}
	what := "pulumi " + strings.Join(args, " ")
	args = append(args, "--stack", "test", "--non-interactive", "--color", "never")
	cmd := exec.CommandContext(t.Context(), filepath.Join(root(t), ".tools", "bin", "pulumi"), args...)
	cmd.Dir = r.WorkDir()
	for _, pair := range r.Engine.Env() {
		if path, isPath := strings.CutPrefix(pair, "PATH="); isPath {
			pair = "PATH=" + filepath.Join(r.dir, "bin") + ":" + path
		}
		cmd.Env = append(cmd.Env, pair)
	}
	cmd.Env = append(cmd.Env, "PULUMI_DEBUG_COMMANDS=true", "HOME="+r.dir, "TMPDIR="+filepath.Join(r.dir, "tmp"))
	// Apart, or messages that are longer than a pipe takes at once would be cut by
	// what is written to the other.
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	began := time.Now()
	err := cmd.Run()
	said := out.String() + errs.String()
	t.Logf("%s: %.1f s, %d KB", what, time.Since(began).Seconds(), len(said)>>10)
	require.Equal(t, well, err == nil, "%s:\n%s", what, said[max(0, len(said)-20000):])
	for line := range strings.Lines(withoutDumps(said)) {
		if len(r.find.in(line)) > 0 {
			t.Logf("%s: a line that holds a secret begins with %.300q", what, line)
		}
	}
	r.find.absent(t, what, withoutDumps(said))
	r.dumped(t, what, said, slices.Contains(args, "-v=9"))
	if slices.Contains(args, events) {
		log, err := os.ReadFile(events)
		require.NoError(t, err)
		require.NotEmpty(t, log, "%s logged no events", what)
		r.find.absent(t, "the event log of "+what, string(log))
	}
	r.scan(t, "a file left behind by "+what, filepath.Join(r.dir, "tmp"))
	return said
}

// failingUp fails the message server's release, at the engine's most talkative.
func (r *canaryRun) failingUp(t *testing.T) {
	t.Helper()
	said := r.pulumi(t, false, "up", "--yes", "--skip-preview", "--event-log", "--debug", "--logtostderr", "-v=9")
	for _, want := range []string{
		"construct-test-sick-1: release", "image ghcr.io/construct-server/construct-server:0.7.0", "kafka.password 0: ***",
	} {
		assert.Contains(t, messages.ReplaceAllString(said, ""), want)
	}
	password, err := os.ReadFile(filepath.Join(r.dir, "failing", "fake", "password"))
	require.NoError(t, err)
	assert.Equal(t, r.secrets["registries[].password"], string(password), "docker login was not given the password")
	r.failing.Store(false)
}

// checkHosts looks at what the hosts were given on standard input: bundles that
// keep their secrets, and scripts that keep them when the release fails.
func (r *canaryRun) checkHosts(t *testing.T) {
	t.Helper()
	assert.Empty(t, r.odd, "commands that need no secret were given one")
	require.Len(t, r.stdin, len(servers))
	for first, stdin := range r.stdin {
		bundleKeepsSecrets(t, r.find, first, stdin)
		_, digest, _ := strings.Cut(first, "# release ")
		digest, _, _ = strings.Cut(digest, " ")
		out, errs, exit := r.sick(digest).run("exec sudo /usr/local/sbin/construct-release apply "+digest+" --health-timeout 5", stdin)
		assert.NotZero(t, exit, first)
		assert.Contains(t, errs, "keeps exiting", first)
		assert.Contains(t, errs, ": ***\n", first)
		r.find.absent(t, "the report of "+first, out+errs)
	}
}

// rotatedPreview changes every secret and looks at what a preview shows of it.
func (r *canaryRun) rotatedPreview(t *testing.T) {
	t.Helper()
	before, find := r.Settings, r.find
	require.NoError(t, r.Configure(t.Context(), withCanaries(t, r.Lab, before)))
	all := maps.Clone(r.secrets)
	for name, value := range secretsOf(t, r.Lab) {
		if all[name] != value {
			all[name+" (new)"] = value
		}
	}
	require.Greater(t, len(all), len(r.secrets)+len(config.SecretPaths())-2, "hardly a secret was changed")
	r.find = newCanaries(all)
	said := r.pulumi(t, true, "preview", "--diff", "--event-log")
	assert.Contains(t, said, "stdin", "the preview does not show what changes")
	require.NoError(t, r.Configure(t.Context(), before))
	r.find = find
}
