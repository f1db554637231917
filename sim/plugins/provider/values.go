package provider

import (
	"encoding/json"
	"fmt"
	"sort"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Values are properties as plain Go values: secrets unwrapped, unknown and
// null properties absent. Getters return the zero value for what is absent.
type Values struct {
	m map[string]any
	// Raw is what the engine sent, for the few resources that need marks or
	// assets.
	Raw resource.PropertyMap
}

// NewValues unwraps properties.
func NewValues(m resource.PropertyMap) Values {
	v := Values{m: map[string]any{}, Raw: m}
	for k, p := range m {
		if plain, ok := plainValue(p); ok {
			v.m[string(k)] = plain
		}
	}
	return v
}

// plainValue unwraps a property; ok is false for null and unknown ones.
func plainValue(p resource.PropertyValue) (any, bool) {
	switch {
	case p.IsNull(), p.IsComputed():
		return nil, false
	case p.IsOutput():
		if !p.OutputValue().Known {
			return nil, false
		}
		return plainValue(p.OutputValue().Element)
	case p.IsSecret():
		return plainValue(p.SecretValue().Element)
	case p.IsArray():
		list := make([]any, 0, len(p.ArrayValue()))
		for _, e := range p.ArrayValue() {
			plain, _ := plainValue(e)
			list = append(list, plain)
		}
		return list, true
	case p.IsObject():
		m := map[string]any{}
		for k, e := range p.ObjectValue() {
			if plain, ok := plainValue(e); ok {
				m[string(k)] = plain
			}
		}
		return m, true
	default:
		return p.V, true
	}
}

// Has reports whether the property is present and known.
func (v Values) Has(k string) bool { _, ok := v.m[k]; return ok }

// Get returns the plain value, nil if absent.
func (v Values) Get(k string) any { return v.m[k] }

// String returns a string property; numbers are spelled out.
func (v Values) String(k string) string { return text(v.m[k]) }

// Int returns a number property, also where it is spelled as a string.
func (v Values) Int(k string) int { return int(v.Float(k)) }

// Float returns a number property, also where it is spelled as a string.
func (v Values) Float(k string) float64 { return number(v.m[k]) }

// Bool returns a boolean property.
func (v Values) Bool(k string) bool { b, _ := v.m[k].(bool); return b }

// Strings returns a list of strings.
func (v Values) Strings(k string) []string {
	list, _ := v.m[k].([]any)
	out := make([]string, 0, len(list))
	for _, e := range list {
		out = append(out, text(e))
	}
	return out
}

// Ints returns a list of numbers.
func (v Values) Ints(k string) []int {
	list, _ := v.m[k].([]any)
	out := make([]int, 0, len(list))
	for _, e := range list {
		out = append(out, int(number(e)))
	}
	return out
}

// StringMap returns a map of strings, never nil.
func (v Values) StringMap(k string) map[string]string {
	m, _ := v.m[k].(map[string]any)
	out := make(map[string]string, len(m))
	for key, e := range m {
		out[key] = text(e)
	}
	return out
}

// Object returns a nested object.
func (v Values) Object(k string) Values {
	m, _ := v.m[k].(map[string]any)
	return Values{m: m}
}

// Objects returns a list of nested objects.
func (v Values) Objects(k string) []Values {
	list, _ := v.m[k].([]any)
	out := make([]Values, 0, len(list))
	for _, e := range list {
		m, _ := e.(map[string]any)
		out = append(out, Values{m: m})
	}
	return out
}

// Keys returns the names of what is present, sorted.
func (v Values) Keys() []string {
	keys := make([]string, 0, len(v.m))
	for k := range v.m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// Same reports whether a property has the same plain value in both.
func (v Values) Same(o Values, k string) bool {
	return canonical(v.m[k]) == canonical(o.m[k])
}

// canonical spells a plain value so that equal values are spelled equally.
func canonical(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%#v", v)
	}
	return string(b)
}

func text(v any) string {
	switch t := v.(type) {
	case nil:
		return ""
	case string:
		return t
	case bool:
		return strconv.FormatBool(t)
	case float64:
		return strconv.FormatFloat(t, 'f', -1, 64)
	default:
		return fmt.Sprint(t)
	}
}

func number(v any) float64 {
	switch t := v.(type) {
	case float64:
		return t
	case string:
		f, err := strconv.ParseFloat(t, 64)
		if err != nil {
			return 0
		}
		return f
	default:
		return 0
	}
}
