package digitalocean

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/construct-server/infra/sim/plugins/provider"
)

// listArgs are the arguments of functions that list: filters, of which all
// must hold, and sorts.
func listArgs() provider.Schema {
	return provider.Schema{
		"filters": {Type: provider.ListOf(provider.Object(provider.Schema{
			"key":     {Type: provider.String, Required: true},
			"values":  {Type: provider.ListOf(provider.String), Required: true},
			"all":     {Type: provider.Bool},
			"matchBy": {Type: provider.String, OneOf: []string{"exact", "substring"}},
		}))},
		"sorts": {Type: provider.ListOf(provider.Object(provider.Schema{
			"key":       {Type: provider.String, Required: true},
			"direction": {Type: provider.String, OneOf: []string{"asc", "desc"}},
		}))},
	}
}

// listed applies filters and sorts to rows.
func listed(name string, rows []map[string]any, args provider.Values) (provider.Output, error) {
	for _, f := range args.Objects("filters") {
		key := camel(f.String("key"))
		if len(rows) > 0 {
			if _, ok := rows[0][key]; !ok {
				return nil, fmt.Errorf("filter %q: %s have no such field", f.String("key"), name)
			}
		}
		rows = slices.DeleteFunc(rows, func(row map[string]any) bool { return !matches(f, row[key]) })
	}
	sorts := args.Objects("sorts")
	for i := len(sorts) - 1; i >= 0; i-- {
		key, down := camel(sorts[i].String("key")), sorts[i].String("direction") == "desc"
		sort.SliceStable(rows, func(a, b int) bool {
			if down {
				a, b = b, a
			}
			return less(rows[a][key], rows[b][key])
		})
	}
	return provider.Output{
		"id": name, name: rows, "filters": args.Get("filters"), "sorts": args.Get("sorts"),
	}, nil
}

// matches reports whether a field holds any, or with `all` every, value.
func matches(f provider.Values, field any) bool {
	have := []string{fmt.Sprint(field)}
	if list, ok := field.([]string); ok {
		have = list
	}
	holds := func(want string) bool {
		return slices.ContainsFunc(have, func(h string) bool {
			if f.String("matchBy") == "substring" {
				return strings.Contains(h, want)
			}
			return h == want
		})
	}
	wanted := f.Strings("values")
	if f.Bool("all") {
		return !slices.ContainsFunc(wanted, func(w string) bool { return !holds(w) })
	}
	return slices.ContainsFunc(wanted, holds)
}

func less(a, b any) bool {
	switch x := a.(type) {
	case int:
		y, _ := b.(int)
		return x < y
	case float64:
		y, _ := b.(float64)
		return x < y
	default:
		return fmt.Sprint(a) < fmt.Sprint(b)
	}
}

// camel turns the API's spelling of a field into Pulumi's.
func camel(key string) string {
	parts := strings.Split(key, "_")
	for i := 1; i < len(parts); i++ {
		if parts[i] != "" {
			parts[i] = strings.ToUpper(parts[i][:1]) + parts[i][1:]
		}
	}
	return strings.Join(parts, "")
}
