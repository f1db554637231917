package stacks

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/construct-server/infra/stacks/series"
)

// rule is an alert as Prometheus is given it.
type rule struct {
	Alert       string
	Expr        string
	For         string            `yaml:"for,omitempty"`
	Labels      map[string]string `yaml:"labels,omitempty"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []rule
	}
}

// ruleFiles are the rules of a deployment, by file name.
func ruleFiles(t *testing.T, d Deployment) map[string]ruleFile {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(configOf(t, d, Media, "prometheus"), "rules", "*.yml"))
	if err != nil || len(found) == 0 {
		t.Fatalf("rules: %v, %v", found, err)
	}
	all := map[string]ruleFile{}
	for _, name := range found {
		var f ruleFile
		decodeYAML(t, name, &f)
		all[filepath.Base(name)] = f
	}
	return all
}

// alerts are the rules of all deployments, by name.
func alerts(t *testing.T) map[string]rule {
	t.Helper()
	all := map[string]rule{}
	for _, d := range []Deployment{testDeployment(), variants()["no-domain"], variants()["logs"]} {
		for _, f := range ruleFiles(t, d) {
			for _, g := range f.Groups {
				for _, r := range g.Rules {
					all[r.Alert] = r
				}
			}
		}
	}
	return all
}

func decodeYAML(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

const ruleTests = "testdata/rules"

// ruledBy is the deployment whose rules a file of tests is about.
func ruledBy(file string) Deployment {
	switch file {
	case "certificate-of-its-own.yml":
		return variants()["no-domain"]
	case "logs.yml":
		return variants()["logs"]
	}
	return testDeployment()
}

// Every alert fires when it should and does not when it should not. Annotations
// are left out: promtool would want them word by word.
func TestRules(t *testing.T) {
	t.Parallel()
	promtool := tool(t, "promtool")
	tests, err := os.ReadDir(ruleTests)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range tests {
		t.Run(entry.Name(), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "rules"), 0o700); err != nil {
				t.Fatal(err)
			}
			for name, f := range ruleFiles(t, ruledBy(entry.Name())) {
				for _, g := range f.Groups {
					for i := range g.Rules {
						g.Rules[i].Annotations = nil
					}
				}
				text, err := yaml.Marshal(f)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, "rules", name), text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(filepath.Join(ruleTests, entry.Name()))
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, entry.Name())
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
			run(t, nil, promtool, "test", "rules", file)
		})
	}
}

// testedAlerts tells which alerts are shown to fire, and which to be silent.
func testedAlerts(t *testing.T) (fires, silent map[string]bool) {
	t.Helper()
	fires, silent = map[string]bool{}, map[string]bool{}
	files, err := filepath.Glob(filepath.Join(ruleTests, "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		var f struct {
			Tests []struct {
				AlertRuleTest []struct {
					Alertname string
					ExpAlerts []any `yaml:"exp_alerts"`
				} `yaml:"alert_rule_test"`
			}
		}
		decodeYAML(t, file, &f)
		for _, group := range f.Tests {
			for _, c := range group.AlertRuleTest {
				if len(c.ExpAlerts) > 0 {
					fires[c.Alertname] = true
				} else {
					silent[c.Alertname] = true
				}
			}
		}
	}
	return fires, silent
}

func TestEveryAlertIsTested(t *testing.T) {
	t.Parallel()
	all := alerts(t)
	fires, silent := testedAlerts(t)
	for name, r := range all {
		if !fires[name] {
			t.Errorf("no test in %s sees %s fire", ruleTests, name)
		}
		if always := r.Expr == "vector(1)"; !always && !silent[name] {
			t.Errorf("no test in %s sees %s silent", ruleTests, name)
		}
	}
	for name := range fires {
		if _, exists := all[name]; !exists {
			t.Errorf("%s is tested and does not exist", name)
		}
	}
}

func TestRulesFollowTheDeployment(t *testing.T) {
	t.Parallel()
	withLogs := []string{"backup.yml", "broker.yml", "certificate.yml", "fleet.yml", "hosts.yml", "logs.yml", "monitoring.yml", "nobody.yml", "postgres.yml", "redis.yml"}
	heartbeat := testDeployment()
	heartbeat.Monitoring.Receivers.HeartbeatURL = "https://heartbeat.example.com/" + canary
	with := []string{"backup.yml", "broker.yml", "certificate.yml", "fleet.yml", "hosts.yml", "monitoring.yml", "nobody.yml", "postgres.yml", "redis.yml"}
	without := slices.DeleteFunc(slices.Clone(with), func(s string) bool { return s == "broker.yml" || s == "nobody.yml" })
	for name, c := range map[string]struct {
		d    Deployment
		want []string
	}{
		"no receiver":               {testDeployment(), with},
		"a heartbeat tells nobody":  {heartbeat, with},
		"receivers, other's broker": {variants()["full"], without},
		"logs":                      {variants()["logs"], withLogs},
	} {
		if got := slices.Sorted(maps.Keys(ruleFiles(t, c.d))); !slices.Equal(got, c.want) {
			t.Errorf("%s: rules %v, want %v", name, got, c.want)
		}
	}
}

// What may be without series is still referred to by something.
func TestEventsAreReferredTo(t *testing.T) {
	t.Parallel()
	dashboards, err := Dashboards(Features{Media: true, Logs: true})
	if err != nil {
		t.Fatal(err)
	}
	references, err := series.InDashboards(dashboards)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range alerts(t) {
		found, err := series.InExpression(fmt.Sprintf("alert %s", name), r.Expr)
		if err != nil {
			t.Error(err)
		}
		references = append(references, found...)
	}
	for selector, why := range series.Events() {
		if !slices.ContainsFunc(references, func(r series.Reference) bool { return r.Selector == selector }) || why == "" {
			t.Errorf("nothing refers to %s (%s)", selector, why)
		}
	}
}
