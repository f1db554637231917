package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// shaper compares decoded JSON with the Go type that is to receive it and
// keeps what fits, so that one wrong value does not hide the next.
type shaper struct {
	isSecret func(path string) bool
	problems Problems
}

// fit returns the part of value that t can hold, nil if none.
func (s *shaper) fit(t reflect.Type, value any, path string) any {
	if value == nil {
		return nil // `key:` with nothing after it is the same as no key
	}
	switch t.Kind() { //nolint:exhaustive // the schema has no other kinds; what falls through is a problem
	case reflect.Pointer:
		if object, ok := value.(map[string]any); ok && len(object) == 0 {
			return nil
		}
		return s.fit(t.Elem(), value, path)
	case reflect.Struct:
		if object, ok := value.(map[string]any); ok {
			return s.fitStruct(t, object, path)
		}
	case reflect.Map:
		if object, ok := value.(map[string]any); ok {
			return s.fitMap(t, object, path)
		}
	case reflect.Slice:
		if list, ok := value.([]any); ok {
			return s.fitSlice(t, list, path)
		}
	case reflect.String:
		if _, ok := value.(string); ok {
			return value
		}
	case reflect.Bool:
		if _, ok := value.(bool); ok {
			return value
		}
	case reflect.Int:
		number, ok := value.(json.Number)
		if _, err := number.Int64(); ok && err == nil {
			return value
		}
	}
	s.problems.add(path, "is "+describe(value), wantKind(t))
	return nil
}

func (s *shaper) fitStruct(t reflect.Type, object map[string]any, path string) any {
	kept := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		field, known := fieldByKey(t, key)
		below := join(path, key)
		if !known {
			s.unknown(below, key, keysOf(t))
			continue
		}
		value := s.fit(field.Type, object[key], below)
		if value == nil {
			continue
		}
		if field.Tag.Get("secret") == "true" && value != "" && !s.isSecret(namespace+below) {
			s.problems.add(below, "is a secret in plain text",
				fmt.Sprintf("pulumi config set --secret --path '%s%s'", namespace, below))
		}
		kept[key] = value
	}
	return kept
}

func (s *shaper) fitMap(t reflect.Type, object map[string]any, path string) any {
	kept := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if value := s.fit(t.Elem(), object[key], join(path, key)); value != nil {
			kept[key] = value
		}
	}
	return kept
}

// fitSlice keeps a place for what does not fit, so that the indices in later
// problems are those of the file.
func (s *shaper) fitSlice(t reflect.Type, list []any, path string) any {
	kept := make([]any, len(list))
	for i, value := range list {
		kept[i] = s.fit(t.Elem(), value, fmt.Sprintf("%s[%d]", path, i))
	}
	return kept
}

// unknown reports a key that means nothing, with the likeliest one meant.
func (s *shaper) unknown(path, key string, known []string) {
	parent := strings.TrimSuffix(strings.TrimSuffix(path, key), ".")
	if guess := nearest(key, known); guess != "" {
		s.problems = append(s.problems, Problem{
			Path: namespace + path, Detail: "unknown key", Want: "perhaps " + guess,
			explains: []string{namespace + join(parent, guess)},
		})
		return
	}
	if head, rest, dotted := strings.Cut(key, "."); dotted && slices.Contains(known, head) {
		s.problems = append(s.problems, Problem{
			Path: namespace + path, Detail: "unknown key",
			Want:     fmt.Sprintf("%s inside of %s: pulumi config set --path", rest, head),
			explains: []string{namespace + path},
		})
		return
	}
	s.problems.add(path, "unknown key", "one of "+strings.Join(known, ", "))
}

// fieldByKey finds the field that a key of the file sets.
func fieldByKey(t reflect.Type, key string) (reflect.StructField, bool) {
	for i := range t.NumField() {
		if field := t.Field(i); field.Tag.Get("json") == key {
			return field, true
		}
	}
	return reflect.StructField{}, false
}

// keysOf lists a struct's keys in the order of the reference.
func keysOf(t reflect.Type) []string {
	keys := make([]string, t.NumField())
	for i := range keys {
		keys[i] = t.Field(i).Tag.Get("json")
	}
	return keys
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// describe names the kind of a decoded JSON value, never the value.
func describe(value any) string {
	switch value.(type) {
	case string:
		return "text"
	case bool:
		return "true or false"
	case json.Number:
		return "a number"
	case []any:
		return "a list"
	default:
		return "an object"
	}
}

func wantKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "text, in quotes"
	case reflect.Bool:
		return "true or false, without quotes"
	case reflect.Int:
		return "a whole number, without quotes"
	case reflect.Slice:
		return "a list"
	default:
		return "an object"
	}
}
