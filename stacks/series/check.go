package series

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// batch is how many selectors are asked for in one query: together they must
// fit into a URL and a command line.
const batch = 40

// Check asks a running Prometheus for the series of every selector in the rules
// that it has loaded and in the dashboards, and says what is wrong, one line a
// problem: a selector without series, unless it is one of an event, and a rule
// that cannot be evaluated. Some series begin with the first message, so the
// deployment must have been used.
//
// get fetches a path of Prometheus' HTTP API, "/api/v1/rules", and returns the
// body of an answer with status 200. stacks.Dashboards has the dashboards.
func Check(get func(path string) (string, error), dashboards map[string][]byte) ([]string, error) {
	references, problems, err := loadedRules(get)
	if err != nil {
		return nil, err
	}
	inDashboards, err := InDashboards(dashboards)
	if err != nil {
		return nil, err
	}
	references = append(references, inDashboards...)
	var selectors []string
	for _, r := range references {
		if _, event := Events()[r.Selector]; !event && !slices.Contains(selectors, r.Selector) {
			selectors = append(selectors, r.Selector)
		}
	}
	for chunk := range slices.Chunk(selectors, batch) {
		missing, err := without(get, chunk)
		if err != nil {
			return nil, err
		}
		for _, r := range references {
			if slices.Contains(missing, r.Selector) {
				problems = append(problems, fmt.Sprintf("%s: nothing produces %s", r.Where, r.Selector))
			}
		}
	}
	slices.Sort(problems)
	return slices.Compact(problems), nil
}

// loadedRules are the references of the rules as Prometheus has them, and the
// rules that it cannot evaluate.
func loadedRules(get func(string) (string, error)) (references []Reference, problems []string, err error) {
	var answer struct {
		Groups []struct {
			Rules []struct{ Name, Query, Health, LastError string }
		}
	}
	if err := ask(get, "/api/v1/rules", &answer); err != nil {
		return nil, nil, err
	}
	for _, group := range answer.Groups {
		for _, rule := range group.Rules {
			if rule.Health == "err" {
				problems = append(problems, fmt.Sprintf("alert %s: cannot be evaluated: %s", rule.Name, rule.LastError))
			}
			found, err := InExpression("alert "+rule.Name, rule.Query)
			if err != nil {
				return nil, nil, err
			}
			references = append(references, found...)
		}
	}
	if len(references) == 0 {
		return nil, nil, errors.New("Prometheus has loaded no rules")
	}
	return references, problems, nil
}

// without returns the selectors that select nothing at present.
func without(get func(string) (string, error), selectors []string) ([]string, error) {
	parts := make([]string, len(selectors))
	for i, selector := range selectors {
		parts[i] = fmt.Sprintf(`label_replace(count(%s), "selector", "%d", "", "")`, selector, i)
	}
	var answer struct {
		Result []struct{ Metric map[string]string }
	}
	if err := ask(get, "/api/v1/query?query="+url.QueryEscape(strings.Join(parts, " or ")), &answer); err != nil {
		return nil, err
	}
	missing := slices.Clone(selectors)
	for _, found := range answer.Result {
		i, err := strconv.Atoi(found.Metric["selector"])
		if err != nil || i >= len(selectors) {
			return nil, fmt.Errorf("ask Prometheus: it answers %v", found.Metric)
		}
		missing = slices.DeleteFunc(missing, func(s string) bool { return s == selectors[i] })
	}
	return missing, nil
}

// ask decodes the data of an answer of the API.
func ask(get func(string) (string, error), path string, into any) error {
	body, err := get(path)
	if err != nil {
		return fmt.Errorf("ask Prometheus: %w", err)
	}
	var answer struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		return fmt.Errorf("ask Prometheus: decode %.200q: %w", body, err)
	}
	if answer.Status != "success" {
		return fmt.Errorf("ask Prometheus: %s", answer.Error)
	}
	if err := json.Unmarshal(answer.Data, into); err != nil {
		return fmt.Errorf("ask Prometheus: decode the data of %.200q: %w", body, err)
	}
	return nil
}
