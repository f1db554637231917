package stacks

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// runbooks is where every alert says what to do about it.
const runbooks = "https://github.com/construct-server/infra/blob/main/docs/runbooks/"

// Every alert says what it is, how bad, and leads to a page of its own; no page
// is about an alert that does not exist.
func TestEveryAlertHasARunbook(t *testing.T) {
	t.Parallel()
	pages := map[string]bool{}
	files, err := filepath.Glob("../docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		pages[strings.TrimSuffix(filepath.Base(file), ".md")] = true
	}
	delete(pages, "README")
	for name, r := range alerts(t) {
		if severity := r.Labels["severity"]; !slices.Contains([]string{"critical", "warning"}, severity) && name != "Watchdog" {
			t.Errorf("%s: severity %q", name, severity)
		}
		for _, key := range []string{"summary", "description"} {
			if r.Annotations[key] == "" {
				t.Errorf("%s has no %s", name, key)
			}
		}
		if got, want := r.Annotations["runbook_url"], runbooks+name+".md"; got != want {
			t.Errorf("%s: runbook %q, want %q", name, got, want)
		}
		text, err := os.ReadFile(filepath.Join("..", "docs", "runbooks", name+".md"))
		if err != nil || !strings.HasPrefix(string(text), "# "+name+"\n") {
			t.Errorf("%s has no page, or one with another title: %v", name, err)
		}
		delete(pages, name)
	}
	for name := range pages {
		t.Errorf("docs/runbooks/%s.md is about no alert", name)
	}
}

// What a runbook tells somebody to type at night names services that exist.
func TestRunbooksNameServicesThatExist(t *testing.T) {
	t.Parallel()
	all, err := Catalogue(LineS, Features{Media: true, Logs: true})
	if err != nil {
		t.Fatal(err)
	}
	// What is replaced without a gap has another number each time: it is named by
	// its service.
	named := regexp.MustCompile(`\bconstruct-([a-z-]+)-1\b|construct-release logs ([a-z-]+)|-aqf name=([a-z-]+)`)
	files, err := filepath.Glob("../docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range named.FindAllStringSubmatch(string(text), -1) {
			count++
			service := found[1] + found[2] + found[3]
			spec, known := find(all, service)
			if !known {
				t.Errorf("%s: no service %s", file, service)
			}
			if spec.Rolling && found[1] != "" {
				t.Errorf("%s: the containers of %s have no number that stays", file, service)
			}
		}
	}
	if count == 0 {
		t.Error("no runbook names a service")
	}
}
