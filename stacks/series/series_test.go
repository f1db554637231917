package series_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/construct-server/infra/stacks/series"
)

func TestReferencesOfAnExpression(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string][]string{
		`redis_up == 0`: {`redis_up`},
		`sum by (role) (rate(a_total{code=~"5.."}[5m])) / (sum(rate(a_total[5m])) > 0.1)`:                   {`a_total{code=~"5.."}`, `a_total`},
		`a and on (role) b{x="y"} offset 5m == 1 unless a`:                                                  {`a`, `b{x="y"}`},
		`(x unless x offset 10m) or on () vector(0)`:                                                        {`x`},
		`histogram_quantile(0.9, sum by (le) (rate(h_bucket{server!="metrics"}[5m])))`:                      {`h_bucket{server!="metrics"}`},
		`max by (a) (m) - on (a) group_right max by (a, b) (n) > time() - 3 * 86400 or absent(gone{j="k"})`: {`m`, `n`, `gone{j="k"}`},
		`a{z="1",b!="2"} or a{b!="2",z="1"}`:                                                                {`a{b!="2",z="1"}`}, // one and the same
		`vector(1)`:                                                                                         nil,
	} {
		found, err := series.InExpression("here", expr)
		if err != nil {
			t.Error(err)
		}
		var got []string
		for _, r := range found {
			got = append(got, r.Selector)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", expr, diff)
		}
	}
	if _, err := series.InExpression("alert X", `up{`); err == nil || !strings.Contains(err.Error(), "alert X") {
		t.Errorf("error %v, want one that names the alert", err)
	}
}

const rules = `groups:
- name: test
  rules:
  - {alert: Present, expr: 'requests_total{code="200"} > 1000'}
  - {alert: Misspelt, expr: 'request_total > 1000'}
  - {alert: OtherLabel, expr: 'rate(requests_total{code="2xx"}[1m]) > 1000'}
  - {alert: Half, expr: 'requests_total > 1000 or queue_length > 5'}
  - {alert: Event, expr: 'increase(redis_errors_total{err="OOM"}[5m]) > 0'}
  - {alert: Ambiguous, expr: 'requests_total * on (job) requests_total > 0'}
`

const dashboard = `{"uid": "test", "templating": {"list": [{"name": "role"}]}, "panels": [
	{"title": "Requests", "targets": [{"expr": "sum(rate(requests_total{role=~\"$role\"}[5m]))"}]},
	{"title": "Queue", "targets": [{"expr": "requests_total"}, {"expr": "queue_length{role=~\"$role\"}"}]}]}`

// A real Prometheus scrapes one target and evaluates the rules above.
func TestCheckFindsWhatNothingProduces(t *testing.T) {
	t.Parallel()
	get := startPrometheus(t)
	got, err := series.Check(get, map[string][]byte{"test.json": []byte(dashboard)})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"alert Ambiguous: cannot be evaluated: found duplicate series for the match group",
		"alert Half: nothing produces queue_length",
		"alert Misspelt: nothing produces request_total",
		`alert OtherLabel: nothing produces requests_total{code="2xx"}`,
		`dashboard test, panel "Queue": nothing produces queue_length{role=~".+"}`,
	}
	for i := range got {
		got[i], _, _ = strings.Cut(got[i], " {")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCheckFailsWithoutAnswersOrRules(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		`{"status":"success","data":{"groups":[]}}`: "loaded no rules",
		`{"status":"error","error":"overloaded"}`:   "overloaded",
		`<html>`: "decode",
	} {
		_, err := series.Check(func(string) (string, error) { return answer, nil }, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", answer, err, want)
		}
	}
}

func startPrometheus(t *testing.T) func(path string) (string, error) {
	t.Helper()
	binary, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("no prometheus on this machine")
	}
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "requests_total{code=\"200\"} 1\nrequests_total{code=\"404\"} 1\n")
	}))
	t.Cleanup(target.Close)
	dir, address := t.TempDir(), freeAddress(t)
	config := fmt.Sprintf("global: {scrape_interval: 200ms, evaluation_interval: 200ms}\nrule_files: [rules.yml]\n"+
		"scrape_configs: [{job_name: test, scrape_timeout: 200ms, static_configs: [{targets: [%q], labels: {role: app}}]}]\n", target.Listener.Addr())
	for name, text := range map[string]string{"prometheus.yml": config, "rules.yml": rules} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), binary, "--config.file="+dir+"/prometheus.yml", "--storage.tsdb.path="+dir+"/data",
		"--web.listen-address="+address, "--log.level=error")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	get := func(path string) (string, error) {
		resp, err := http.Get("http://" + address + path) //nolint:noctx // the process ends with the test
		if err != nil {
			return "", err
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		return string(body), err
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		// The ambiguous rule has been evaluated once it has failed.
		answer, err := get("/api/v1/rules")
		if err == nil && strings.Contains(answer, `"lastError"`) {
			return get
		}
		if time.Now().After(deadline) {
			t.Fatalf("Prometheus has evaluated nothing: %s %v", answer, err)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
