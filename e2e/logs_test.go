package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/stacks"
)

// logLine is one that Loki answers with, and its labels.
type logLine struct {
	Nanos  string
	Labels map[string]string
	Text   string
}

// logRig is a real agent and the stand-in for Loki, both on the configuration
// that a deployment has, with paths and ports of this test.
type logRig struct {
	logs, state, agentConfig, lokiConfig string
	agent, loki, lokiURL, metricsURL     string
}

func newLogRig(t *testing.T) *logRig {
	t.Helper()
	agent, err := filepath.Abs("../.tools/bin/otelcol-contrib")
	require.NoError(t, err)
	if _, err := os.Stat(agent); err != nil {
		t.Skip("no collector: tools/build.sh otelcol-contrib builds it")
	}
	dir := t.TempDir()
	r := &logRig{agent: agent, loki: filepath.Join(dir, "loki"), logs: filepath.Join(dir, "logs"), state: filepath.Join(dir, "state")}
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", r.loki, "../sim/images/loki").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.MkdirAll(r.state, 0o700))
	lokiPort, metricsPort := unusedPort(t), unusedPort(t)
	r.lokiURL, r.metricsURL = "http://127.0.0.1:"+lokiPort, "http://127.0.0.1:"+metricsPort
	r.agentConfig = r.configuration(t, stacks.App, "log-agent", "agent.yml", dir, map[string]string{
		`"/logs`: `"` + r.logs, `'^/logs/`: `'^` + r.logs + `/`, "/var/lib/otelcol": r.state,
		"media.internal:3100": "127.0.0.1:" + lokiPort, "0.0.0.0": "127.0.0.1", "port: 8888": "port: " + metricsPort,
	})
	r.lokiConfig = r.configuration(t, stacks.Media, "loki", "loki.yml", dir, map[string]string{
		"http_listen_port: 3100": "http_listen_port: " + lokiPort, " /loki/": " " + dir + "/loki-data/",
	})
	return r
}

// configuration writes a rendered file with some of its text replaced. All of
// that is expected to be there.
func (r *logRig) configuration(t *testing.T, role stacks.Role, service, name, dir string, replace map[string]string) string {
	t.Helper()
	bundle, err := stacks.Render(deploymentWithLogs(), role)
	require.NoError(t, err)
	i := slices.IndexFunc(bundle.Files, func(f stacks.File) bool {
		return strings.HasPrefix(f.Path, "config/"+service+"-") && filepath.Base(f.Path) == name
	})
	require.GreaterOrEqual(t, i, 0, name)
	text := string(bundle.Files[i].Content)
	for _, from := range slices.Sorted(maps.Keys(replace)) {
		require.Contains(t, text, from)
		text = strings.ReplaceAll(text, from, replace[from])
	}
	file := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func deploymentWithLogs() stacks.Deployment {
	const gb = 1024
	var secrets stacks.Secrets
	for _, field := range reflect.ValueOf(&secrets).Elem().Fields() {
		field.SetString("not-used-by-the-agent-or-loki")
	}
	return stacks.Deployment{
		Name: "construct-test", Media: true, NetworkCIDR: netip.MustParsePrefix("10.20.0.0/24"),
		Memory: map[stacks.Role]int{
			stacks.Gateway: gb, stacks.App: 2 * gb, stacks.DB: 2 * gb, stacks.Message: 4 * gb, stacks.Media: 2 * gb,
		},
		Release:   stacks.Image{Repository: "ghcr.io/example/construct-server", Tag: "0.7.0"},
		Logs:      stacks.Logs{Enabled: true},
		Secrets:   secrets,
		DigestKey: make([]byte, 32), Seed: make([]byte, 32),
	}
}

func unusedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// start runs a program until stop is called or the test ends.
func (r *logRig) start(t *testing.T, args ...string) (stop func()) {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	out, err := os.OpenFile(filepath.Join(filepath.Dir(r.loki), filepath.Base(args[0])+".out"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	cmd.Stdout, cmd.Stderr = out, out
	require.NoError(t, cmd.Start())
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		_ = out.Close()
	}
	t.Cleanup(func() {
		stop()
		if said, _ := os.ReadFile(out.Name()); t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(args[0]), said)
		}
	})
	return stop
}

func (r *logRig) startAgent(t *testing.T) func() {
	return r.start(t, r.agent, "--config="+r.agentConfig)
}
func (r *logRig) startLoki(t *testing.T) func() {
	return r.start(t, r.loki, "-config.file="+r.lokiConfig)
}

// container appends to a log file as Docker's json-file driver does.
func (r *logRig) container(t *testing.T, service, inode string, at time.Time, texts ...string) {
	t.Helper()
	var lines strings.Builder
	for i, text := range texts {
		raw, err := json.Marshal(map[string]string{
			"log": text, "stream": "stderr", "time": at.Add(time.Duration(i) * time.Millisecond).UTC().Format(time.RFC3339Nano),
		})
		require.NoError(t, err)
		lines.Write(append(raw, '\n'))
	}
	r.write(t, service, inode, lines.String())
}

func (r *logRig) write(t *testing.T, service, name, text string) {
	t.Helper()
	file := filepath.Join(r.logs, "construct-test-app-1", service, name+".log")
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	_, err = f.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// lines asks Loki, by LogQL.
func (r *logRig) lines(query string) ([]logLine, error) {
	body, err := get(r.lokiURL + "/loki/api/v1/query_range?limit=1000&start=0&query=" + url.QueryEscape(query))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data struct {
			Result []struct {
				Stream map[string]string
				Values [][2]string
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		return nil, fmt.Errorf("decode %q: %w", body, err)
	}
	var found []logLine
	for _, s := range answer.Data.Result {
		for _, v := range s.Values {
			found = append(found, logLine{v[0], s.Stream, v[1]})
		}
	}
	return found, nil
}

func get(address string) (string, error) {
	resp, err := http.Get(address) //nolint:noctx // the processes end with the test
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, body)
	}
	return string(body), err
}

// await asks until there are so many lines.
func (r *logRig) await(t *testing.T, query string, want int) []logLine {
	t.Helper()
	var found []logLine
	var err error
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if found, err = r.lines(query); err == nil && len(found) >= want {
			break
		}
	}
	require.NoError(t, err)
	require.Len(t, found, want, query)
	return found
}

// A line that a container writes can be found by who wrote it, when and what,
// whatever happens to agent, Loki or file on the way, once.
func TestLogLinesArrive(t *testing.T) {
	t.Parallel()
	r := newLogRig(t)
	stopLoki, stopAgent := r.startLoki(t), r.startAgent(t)
	at := time.Now().Add(-time.Minute).Truncate(time.Millisecond)
	r.container(t, "user-service", "11", at, "first\n", "a "+strings.Repeat("long ", 4000), "line\n", "  indented, with \"quotes\"\n")
	r.write(t, "host", "2026-11-29", fmt.Sprintf("%d.250000 host sshd[7]: Accepted publickey for construct\nnonsense\n", at.Unix()))

	found := r.await(t, `{service="user-service"}`, 3)
	labels := map[string]string{"host": "construct-test-app-1", "role": "app", "service": "user-service", "file": "11"}
	assert.Equal(t, logLine{strconv.FormatInt(at.UnixNano(), 10), labels, "first"}, found[2])
	assert.Equal(t, "a "+strings.Repeat("long ", 4000)+"line", found[1].Text)
	assert.Equal(t, `  indented, with "quotes"`, found[0].Text)
	assert.Equal(t, "nonsense", r.await(t, `{service="host"} != "sshd"`, 1)[0].Text)
	login := r.await(t, `{service="host"} |= "sshd"`, 1)[0]
	assert.Equal(t, "sshd[7]: Accepted publickey for construct", login.Text)
	assert.Equal(t, strconv.FormatInt(at.Unix()*1e9+250e6, 10), login.Nanos)

	// Loki is away, then the agent; files are made meanwhile.
	stopLoki()
	r.container(t, "user-service", "11", at.Add(time.Second), "while Loki is away\n")
	time.Sleep(3 * time.Second)
	stopAgent()
	r.container(t, "user-service", "12", at.Add(2*time.Second), "while the agent is away\n")
	r.startLoki(t)
	r.startAgent(t)
	found = r.await(t, `{role="app",service=~"user-.*"}`, 5)
	assert.Equal(t, []string{"while the agent is away", "while Loki is away"}, []string{found[0].Text, found[1].Text})
	assert.Equal(t, "12", found[0].Labels["file"])

	metrics, err := get(r.metricsURL + "/metrics")
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^otelcol_exporter_sent_log_records\{[^}]*\} [1-9]`, metrics)
}
