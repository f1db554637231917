package stacks

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// dashboardDir holds Grafana's dashboards among the sources.
const dashboardDir = "media/grafana/dashboards/construct"

// Dashboards returns the dashboards that a deployment with monitoring has, by
// file name.
func Dashboards(f Features) (map[string][]byte, error) {
	entries, err := fs.ReadDir(sources, dashboardDir)
	if err != nil {
		return nil, fmt.Errorf("list dashboards: %w", err)
	}
	all := map[string][]byte{}
	for _, entry := range entries {
		name := path.Join(dashboardDir, entry.Name())
		plain, isTemplate := strings.CutSuffix(entry.Name(), ".tmpl")
		content, err := sources.ReadFile(name)
		if isTemplate {
			content, err = execute(name, configView{Redpanda: !f.ExternalKafka, Deployment: Deployment{Logs: Logs{Enabled: f.Logs}}})
		}
		if err != nil {
			return nil, fmt.Errorf("dashboard %q: %w", plain, err)
		}
		if len(strings.TrimSpace(string(content))) > 0 {
			all[plain] = content
		}
	}
	return all, nil
}
