package series

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/VictoriaMetrics/metricsql"
)

// Reference is one selector in one expression.
type Reference struct {
	Where    string // "alert RedisDown", `dashboard construct-host, panel "CPU"`
	Selector string // redis_up, up{job="health",role="db"}; labels sorted
}

// InExpression lists the selectors of a PromQL expression, each once.
func InExpression(where, expr string) ([]Reference, error) {
	parsed, err := metricsql.Parse(expr)
	if err != nil {
		return nil, fmt.Errorf("%s: parse %q: %w", where, expr, err)
	}
	var list []Reference
	metricsql.VisitAll(parsed, func(e metricsql.Expr) {
		selector, ok := e.(*metricsql.MetricExpr)
		if !ok || len(selector.LabelFilterss) == 0 { // the latter is how it writes an absent one
			return
		}
		// Prometheus does not repeat expressions as they were written.
		for _, filters := range selector.LabelFilterss {
			slices.SortFunc(filters, func(a, b metricsql.LabelFilter) int {
				return cmp.Or(metricName(a)-metricName(b), strings.Compare(a.Label, b.Label), strings.Compare(a.Value, b.Value))
			})
		}
		r := Reference{Where: where, Selector: string(selector.AppendString(nil))}
		if !slices.Contains(list, r) {
			list = append(list, r)
		}
	})
	return list, nil
}

// metricName orders a filter of the name before all others.
func metricName(f metricsql.LabelFilter) int {
	if f.Label == "__name__" {
		return 0
	}
	return 1
}

// everything is what dashboards' variables stand for here: any value at all.
const everything = ".+"

// logSource is the data source whose queries are about log lines, not series.
const logSource = "loki"

// InDashboards lists the selectors of Grafana's dashboards, given by name.
func InDashboards(dashboards map[string][]byte) ([]Reference, error) {
	var list []Reference
	for _, name := range slices.Sorted(maps.Keys(dashboards)) {
		var dashboard struct {
			UID    string
			Panels []struct {
				Title   string
				Targets []struct {
					Expr       string
					Datasource struct{ UID string }
				}
			}
			Templating struct{ List []struct{ Name string } }
		}
		if err := json.Unmarshal(dashboards[name], &dashboard); err != nil {
			return nil, fmt.Errorf("dashboard %s: %w", name, err)
		}
		var values []string
		for _, variable := range dashboard.Templating.List {
			values = append(values, "$"+variable.Name, everything)
		}
		for _, panel := range dashboard.Panels {
			for _, target := range panel.Targets {
				if target.Datasource.UID == logSource {
					continue
				}
				where := fmt.Sprintf("dashboard %s, panel %q", dashboard.UID, panel.Title)
				found, err := InExpression(where, strings.NewReplacer(values...).Replace(target.Expr))
				if err != nil {
					return nil, err
				}
				list = append(list, found...)
			}
		}
	}
	return list, nil
}
