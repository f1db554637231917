package provider

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// ignoredInputs are added by the engine or the SDKs, not by programs.
func ignoredInput(k resource.PropertyKey) bool {
	return k == "version" || k == "pluginDownloadURL" || strings.HasPrefix(string(k), "__")
}

// validate checks properties against a schema; where names them in failures.
func validate(schema Schema, where string, m resource.PropertyMap) []plugin.CheckFailure {
	var failures []plugin.CheckFailure
	for _, k := range m.StableKeys() {
		if ignoredInput(k) {
			continue
		}
		path := join(where, string(k))
		p, ok := schema[string(k)]
		if !ok {
			failures = append(failures, plugin.CheckFailure{
				Property: resource.PropertyKey(path),
				Reason:   fmt.Sprintf("unknown property %q (have %s)", path, strings.Join(names(schema), ", ")),
			})
			continue
		}
		failures = append(failures, validateValue(p.Type, path, m[k])...)
		if reason := notOneOf(p, m[k]); reason != "" {
			failures = append(failures, plugin.CheckFailure{Property: resource.PropertyKey(path), Reason: reason})
		}
	}
	for _, name := range names(schema) {
		if v, ok := m[resource.PropertyKey(name)]; schema[name].Required && (!ok || v.IsNull()) {
			path := join(where, name)
			failures = append(failures, plugin.CheckFailure{
				Property: resource.PropertyKey(path), Reason: fmt.Sprintf("missing required property %q", path),
			})
		}
	}
	return failures
}

// validateValue checks one value. Unknown values always pass.
func validateValue(t Type, path string, v resource.PropertyValue) []plugin.CheckFailure {
	v = reveal(v)
	if v.IsNull() || v.IsComputed() || t.Shape == ShapeAny {
		return nil
	}
	if !fits(t.Shape, v) {
		return []plugin.CheckFailure{{
			Property: resource.PropertyKey(path),
			Reason:   fmt.Sprintf("property %q is a %s (want %s)", path, v.TypeString(), t.Shape),
		}}
	}
	var failures []plugin.CheckFailure
	switch t.Shape {
	case ShapeList:
		for i, e := range v.ArrayValue() {
			failures = append(failures, validateValue(*t.Elem, fmt.Sprintf("%s[%d]", path, i), e)...)
		}
	case ShapeMap:
		for _, k := range v.ObjectValue().StableKeys() {
			failures = append(failures, validateValue(*t.Elem, join(path, string(k)), v.ObjectValue()[k])...)
		}
	case ShapeObject:
		failures = validate(t.Fields, path, v.ObjectValue())
	case ShapeString, ShapeInt, ShapeNumber, ShapeBool, ShapeAny:
	}
	return failures
}

// fits reports whether a value has a shape. Numbers spelled as strings are
// accepted, as the bridged providers accept them.
func fits(s Shape, v resource.PropertyValue) bool {
	switch s {
	case ShapeString:
		return v.IsString()
	case ShapeInt:
		if v.IsString() {
			_, err := strconv.ParseInt(v.StringValue(), 10, 64)
			return err == nil
		}
		return v.IsNumber() && v.NumberValue() == float64(int64(v.NumberValue()))
	case ShapeNumber:
		return v.IsNumber()
	case ShapeBool:
		return v.IsBool()
	case ShapeList:
		return v.IsArray()
	case ShapeMap, ShapeObject:
		return v.IsObject()
	case ShapeAny:
		return true
	}
	return false
}

// String names a shape for messages.
func (s Shape) String() string {
	return [...]string{"string", "integer", "number", "boolean", "list", "map", "object", "anything"}[s]
}

func notOneOf(p Property, v resource.PropertyValue) string {
	v = reveal(v)
	if len(p.OneOf) == 0 || !v.IsString() || slices.Contains(p.OneOf, v.StringValue()) {
		return ""
	}
	return fmt.Sprintf("%q is not allowed (want one of %s)", v.StringValue(), strings.Join(p.OneOf, ", "))
}

// reveal unwraps secrets and known outputs at the top of a value.
func reveal(v resource.PropertyValue) resource.PropertyValue {
	for {
		switch {
		case v.IsSecret():
			v = v.SecretValue().Element
		case v.IsOutput() && v.OutputValue().Known:
			v = v.OutputValue().Element
		case v.IsOutput():
			return resource.MakeComputed(resource.NewStringProperty(""))
		default:
			return v
		}
	}
}

// bare unwraps secrets and known outputs at every depth.
func bare(v resource.PropertyValue) resource.PropertyValue {
	v = reveal(v)
	switch {
	case v.IsArray():
		list := make([]resource.PropertyValue, 0, len(v.ArrayValue()))
		for _, e := range v.ArrayValue() {
			list = append(list, bare(e))
		}
		return resource.NewArrayProperty(list)
	case v.IsObject():
		m := resource.PropertyMap{}
		for k, e := range v.ObjectValue() {
			m[k] = bare(e)
		}
		return resource.NewObjectProperty(m)
	}
	return v
}

// fill returns the inputs with made-up names and defaults, and records which.
func fill(schema Schema, req plugin.CheckRequest) (resource.PropertyMap, error) {
	in := req.News.Copy()
	delete(in, defaultsKey)
	defaulted := []resource.PropertyValue{}
	for _, name := range names(schema) {
		k, p := resource.PropertyKey(name), schema[name]
		if v, ok := in[k]; ok && !v.IsNull() {
			continue
		}
		switch {
		case p.AutoName > 0:
			v, err := madeUpName(k, p, req)
			if err != nil {
				return nil, fmt.Errorf("make up a name for %q: %w", req.URN, err)
			}
			in[k] = v
		case p.Default != nil:
			in[k] = resource.NewPropertyValue(p.Default)
		default:
			continue
		}
		defaulted = append(defaulted, resource.NewStringProperty(name))
	}
	in[defaultsKey] = resource.NewArrayProperty(defaulted)
	return in, nil
}

// madeUpName keeps the name of an existing resource.
func madeUpName(k resource.PropertyKey, p Property, req plugin.CheckRequest) (resource.PropertyValue, error) {
	if old, ok := req.Olds[k]; ok && isDefaulted(req.Olds, string(k)) {
		return old, nil
	}
	if a := req.Autonaming; a != nil && a.ProposedName != "" {
		return resource.NewStringProperty(a.ProposedName), nil
	}
	name, err := resource.NewUniqueName(req.RandomSeed, req.URN.Name()+"-", 7, p.AutoName, nil)
	return resource.NewStringProperty(name), err
}

// isDefaulted reports whether Check filled in an input.
func isDefaulted(in resource.PropertyMap, name string) bool {
	d, ok := in[defaultsKey]
	if !ok || !d.IsArray() {
		return false
	}
	return slices.ContainsFunc(d.ArrayValue(), func(v resource.PropertyValue) bool {
		return v.IsString() && v.StringValue() == name
	})
}

func names(schema Schema) []string {
	out := make([]string, 0, len(schema))
	for name := range schema {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

func join(where, k string) string {
	if where == "" {
		return k
	}
	return where + "." + k
}
