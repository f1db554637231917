package stacks

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// dashboard is what Grafana provisions, as far as it can be wrong.
type dashboard struct {
	UID, Title string
	Panels     []struct {
		ID         int
		Title      string
		Datasource struct{ UID string }
		GridPos    struct{ X, Y, W, H int }
		Targets    []struct {
			Expr       string
			Datasource struct{ UID string }
		}
	}
	Templating struct {
		List []struct {
			Type       string
			Datasource struct{ UID string }
		}
	}
}

func dashboards(t *testing.T, d Deployment) map[string]dashboard {
	t.Helper()
	files, err := Dashboards(d.Features())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]dashboard{}
	for name, text := range files {
		var one dashboard
		if err := json.Unmarshal(text, &one); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = one
	}
	return all
}

// Addresses of dashboards are in people's bookmarks.
func TestDashboardsAreWhereTheyWere(t *testing.T) {
	t.Parallel()
	uids := func(d Deployment) []string {
		var list []string
		for name, one := range dashboards(t, d) {
			if one.UID+".json" != name || one.Title == "" {
				t.Errorf("%s: UID %q, title %q", name, one.UID, one.Title)
			}
			list = append(list, one.UID)
		}
		slices.Sort(list)
		return list
	}
	all := []string{"construct-broker", "construct-gateway", "construct-host", "construct-overview", "construct-postgres", "construct-redis"}
	if got := uids(testDeployment()); !slices.Equal(got, all) {
		t.Errorf("dashboards %v, want %v", got, all)
	}
	if got := uids(variants()["full"]); !slices.Equal(got, all[1:]) {
		t.Errorf("with another's broker: dashboards %v, want %v", got, all[1:])
	}
	if got := uids(variants()["logs"]); !slices.Contains(got, "construct-logs") || len(got) != len(all)+1 {
		t.Errorf("with logs: dashboards %v", got)
	}
	var provider struct {
		Providers []struct {
			Folder    string
			FolderUID string `yaml:"folderUid"`
			Options   struct{ Path string }
		}
	}
	dir := configOf(t, testDeployment(), Media, "grafana")
	decodeYAML(t, filepath.Join(dir, "dashboards", "provider.yml"), &provider)
	if len(provider.Providers) != 1 {
		t.Fatalf("providers %+v", provider)
	}
	if one := provider.Providers[0]; one.Folder != "Construct" || one.FolderUID != "construct" {
		t.Errorf("the folder is %q, UID %q", one.Folder, one.FolderUID)
	}
	// The path as Grafana sees it, below the directory that is mounted.
	inside, ok := strings.CutPrefix(provider.Providers[0].Options.Path, grafana().ConfigDir)
	found, err := filepath.Glob(filepath.Join(dir, inside, "*.json"))
	if !ok || err != nil || len(found) != len(all) {
		t.Errorf("the provider reads %s, where there is %v (%v)", provider.Providers[0].Options.Path, found, err)
	}
}

// A panel whose data source does not exist shows nothing and says nothing.
func TestPanelsUseTheProvisionedDataSource(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{"plain": {"prometheus"}, "logs": {"loki", "prometheus"}} {
		d := variants()[name]
		files, err := filepath.Glob(filepath.Join(configOf(t, d, Media, "grafana"), "datasources", "*.yml"))
		if err != nil {
			t.Fatal(err)
		}
		var uids []string
		for _, file := range files {
			var provisioned struct{ Datasources []struct{ UID string } }
			decodeYAML(t, file, &provisioned)
			for _, source := range provisioned.Datasources {
				uids = append(uids, source.UID)
			}
		}
		if !slices.Equal(uids, want) {
			t.Errorf("%s: data sources %v, want %v", name, uids, want)
		}
		checkSources(t, d, uids)
	}
}

func checkSources(t *testing.T, d Deployment, provisioned []string) {
	t.Helper()
	for name, one := range dashboards(t, d) {
		var used []string
		for _, variable := range one.Templating.List {
			if variable.Type != "textbox" {
				used = append(used, variable.Datasource.UID)
			}
		}
		for _, panel := range one.Panels {
			used = append(used, panel.Datasource.UID)
			for _, target := range panel.Targets {
				used = append(used, target.Datasource.UID)
			}
			if len(panel.Targets) == 0 || panel.Title == "" {
				t.Errorf("%s: panel %d has no title or no query", name, panel.ID)
			}
		}
		for _, uid := range used {
			if !slices.Contains(provisioned, uid) {
				t.Errorf("%s: data source %q, want one of %v", name, uid, provisioned)
			}
		}
	}
}

func TestPanelsDoNotOverlap(t *testing.T) {
	t.Parallel()
	for name, one := range dashboards(t, variants()["logs"]) {
		ids := map[int]bool{}
		cells := map[[2]int]string{}
		for _, panel := range one.Panels {
			if ids[panel.ID] {
				t.Errorf("%s: two panels have the id %d", name, panel.ID)
			}
			ids[panel.ID] = true
			p := panel.GridPos
			if p.W < 1 || p.H < 1 || p.X+p.W > 24 {
				t.Errorf("%s: panel %q is at %+v", name, panel.Title, p)
			}
			for x := range p.W {
				for y := range p.H {
					cell := [2]int{p.X + x, p.Y + y}
					if other := cells[cell]; other != "" {
						t.Fatalf("%s: panels %q and %q overlap", name, other, panel.Title)
					}
					cells[cell] = panel.Title
				}
			}
		}
	}
}
