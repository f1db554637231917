package hetzner

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// meta is what every named resource has.
type meta struct {
	id        int64
	name      string
	labels    map[string]string
	created   time.Time
	protected bool // against deletion
}

func (m *meta) base() *meta { return m }

// entity is a named resource.
type entity interface{ base() *meta }

// edit is the body of every PUT: what is absent stays.
type edit struct {
	Name   *string            `json:"name"`
	Labels *map[string]string `json:"labels"`
}

// protection is the body of change_protection.
type protection struct {
	Delete *bool `json:"delete"`
}

// newMeta checks a new resource's name and labels. c.mu is held.
func newMeta[T entity](c *Cloud, all []T, kind, name string, labels map[string]string) (meta, error) {
	m := meta{labels: map[string]string{}, created: time.Now().UTC().Truncate(time.Second)}
	if err := apply(&m, all, kind, edit{Name: &name, Labels: &labels}); err != nil {
		return meta{}, err
	}
	m.id = c.id()
	return m, nil
}

// apply checks and makes an edit. Names are unique within a kind.
func apply[T entity](m *meta, all []T, kind string, in edit) error {
	if in.Name != nil {
		if *in.Name == "" || len(*in.Name) > 128 {
			return invalid("name", "must have 1 to 128 characters")
		}
		for _, o := range all {
			if o.base() != m && o.base().name == *in.Name {
				return taken(kind)
			}
		}
	}
	if in.Labels != nil {
		for k, v := range *in.Labels {
			if !labelKeyRE.MatchString(k) || !labelValueRE.MatchString(v) {
				return invalid("labels", "label %q=%q is invalid", k, v)
			}
		}
		m.labels = maps.Clone(*in.Labels)
		if m.labels == nil {
			m.labels = map[string]string{}
		}
	}
	if in.Name != nil {
		m.name = *in.Name
	}
	return nil
}

// Labels as in Kubernetes: an optional DNS prefix, 63 characters each.
var (
	labelKeyRE   = regexp.MustCompile(`^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)
	labelValueRE = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$`)
)

// byID finds a resource.
func byID[T entity](all []T, id int64) (T, bool) {
	i := slices.IndexFunc(all, func(e T) bool { return e.base().id == id })
	if i < 0 {
		var none T
		return none, false
	}
	return all[i], true
}

// inPath finds the resource that a request's path names.
func inPath[T entity](r *http.Request, all []T, kind string) (T, error) {
	var none T
	id, err := pathID(r, kind)
	if err != nil {
		return none, err
	}
	e, found := byID(all, id)
	if !found {
		return none, notFound(kind, id)
	}
	return e, nil
}

// selected applies the name and label_selector that every list takes.
func selected[T entity](r *http.Request, all []T) ([]T, error) {
	q := r.URL.Query()
	match, err := parseSelector(q.Get("label_selector"))
	if err != nil {
		return nil, err
	}
	var out []T
	for _, e := range all {
		if (q.Get("name") == "" || e.base().name == q.Get("name")) && match(e.base().labels) {
			out = append(out, e)
		}
	}
	return out, nil
}

var termRE = regexp.MustCompile(`^([^=!\s]+)\s+(in|notin)\s+\(([^)]*)\)$`)

// parseSelector reads k, !k, k=v, k==v, k!=v, k in (a,b) and k notin (a,b),
// joined by commas.
func parseSelector(s string) (func(map[string]string) bool, error) {
	var terms []func(map[string]string) bool
	for _, term := range splitTerms(s) {
		m := termRE.FindStringSubmatch(term)
		switch {
		case m != nil:
			values := strings.Split(strings.ReplaceAll(m[3], " ", ""), ",")
			terms = append(terms, func(l map[string]string) bool {
				v, has := l[m[1]]
				return (has && slices.Contains(values, v)) == (m[2] == "in")
			})
		case strings.Contains(term, "!="):
			k, v, _ := strings.Cut(term, "!=")
			terms = append(terms, func(l map[string]string) bool { return l[strings.TrimSpace(k)] != strings.TrimSpace(v) })
		case strings.Contains(term, "="):
			k, v, _ := strings.Cut(strings.Replace(term, "==", "=", 1), "=")
			terms = append(terms, func(l map[string]string) bool {
				got, has := l[strings.TrimSpace(k)]
				return has && got == strings.TrimSpace(v)
			})
		case strings.HasPrefix(term, "!"):
			terms = append(terms, func(l map[string]string) bool { _, has := l[term[1:]]; return !has })
		case labelKeyRE.MatchString(term):
			terms = append(terms, func(l map[string]string) bool { _, has := l[term]; return has })
		default:
			return nil, invalid("label_selector", "cannot read %q", term)
		}
	}
	return func(l map[string]string) bool {
		return !slices.ContainsFunc(terms, func(t func(map[string]string) bool) bool { return !t(l) })
	}, nil
}

// splitTerms splits at commas outside parentheses.
func splitTerms(s string) []string {
	var out []string
	depth, start := 0, 0
	for i, ch := range s + "," {
		switch {
		case ch == '(':
			depth++
		case ch == ')':
			depth--
		case ch == ',' && depth == 0:
			if term := strings.TrimSpace(s[start:i]); term != "" {
				out = append(out, term)
			}
			start = i + 1
		}
	}
	return out
}
