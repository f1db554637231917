package provider

import (
	"slices"
	"sort"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// diff compares what is with what is wanted, property by property.
func (r *Resource) diff(req plugin.DiffRequest) plugin.DiffResult {
	old, normal := req.OldOutputs, Property.normal
	if r.DiffInputs {
		old, normal = req.OldInputs, Property.exact
	}
	detailed := map[string]plugin.PropertyDiff{}
	forced := r.forced(old, req.NewInputs)
	for _, name := range names(r.Inputs) {
		if slices.Contains(req.IgnoreChanges, name) {
			continue
		}
		k, p := resource.PropertyKey(name), r.Inputs[name]
		if p.Computed && reveal(req.NewInputs[k]).IsNull() {
			continue // the program leaves it to the cloud
		}
		for path, d := range p.diff(name, normal(p, old[k]), normal(p, req.NewInputs[k])) {
			if p.ForceNew || r.Update == nil || slices.Contains(forced, name) {
				d.Kind = d.Kind.AsReplace()
			}
			detailed[path] = d
		}
	}
	if len(detailed) == 0 {
		return plugin.DiffResult{Changes: plugin.DiffNone}
	}
	result := plugin.DiffResult{Changes: plugin.DiffSome, DetailedDiff: detailed}
	for path, d := range detailed {
		k := resource.PropertyKey(top(path))
		if !slices.Contains(result.ChangedKeys, k) {
			result.ChangedKeys = append(result.ChangedKeys, k)
		}
		if d.Kind.IsReplace() && !slices.Contains(result.ReplaceKeys, k) {
			result.ReplaceKeys = append(result.ReplaceKeys, k)
		}
	}
	slices.Sort(result.ChangedKeys)
	slices.Sort(result.ReplaceKeys)
	result.DeleteBeforeReplace = len(result.ReplaceKeys) > 0 && r.namedByProgram(req.NewInputs)
	return result
}

func (r *Resource) forced(old, in resource.PropertyMap) []string {
	if r.Replaces == nil {
		return nil
	}
	return r.Replaces(NewValues(old), NewValues(in))
}

// namedByProgram reports whether the new resource would take the old one's
// name, so that the old one has to go first.
func (r *Resource) namedByProgram(in resource.PropertyMap) bool {
	for _, name := range names(r.Inputs) {
		v, given := in[resource.PropertyKey(name)]
		if r.Inputs[name].AutoName > 0 && given && !v.IsNull() && !isDefaulted(in, name) {
			return true
		}
	}
	return false
}

// diff returns the changes from was to want, both normal or exact, by path.
func (p Property) diff(name string, was, want resource.PropertyValue) map[string]plugin.PropertyDiff {
	if was.DeepEquals(want) || p.same(was, want) {
		return nil
	}
	switch {
	case was.IsNull():
		return map[string]plugin.PropertyDiff{name: {Kind: plugin.DiffAdd}}
	case want.IsNull():
		return map[string]plugin.PropertyDiff{name: {Kind: plugin.DiffDelete}}
	case p.Set:
		return map[string]plugin.PropertyDiff{name: {Kind: plugin.DiffUpdate}}
	}
	k := resource.PropertyKey(name)
	objects := resource.PropertyMap{k: was}.Diff(resource.PropertyMap{k: want})
	if d := plugin.NewDetailedDiffFromObjectDiff(objects, false); len(d) > 0 {
		return d
	}
	return map[string]plugin.PropertyDiff{name: {Kind: plugin.DiffUpdate}}
}

func (p Property) same(was, want resource.PropertyValue) bool {
	if p.Same == nil || was.IsNull() || want.IsNull() || want.ContainsUnknowns() {
		return false
	}
	a, _ := plainValue(was)
	b, _ := plainValue(want)
	return p.Same(a, b)
}

// exact only removes the marks of secrets.
func (p Property) exact(v resource.PropertyValue) resource.PropertyValue { return bare(v) }

// normal rewrites a value so that values of one meaning to the cloud are equal:
// absent, empty and zero; another order of a set.
func (p Property) normal(v resource.PropertyValue) resource.PropertyValue {
	v = p.Type.normal(v)
	if p.Set && v.IsArray() {
		sort.SliceStable(v.ArrayValue(), func(i, j int) bool {
			return spelled(v.ArrayValue()[i]) < spelled(v.ArrayValue()[j])
		})
	}
	if p.Default == nil && p.Type.Shape != ShapeAny && zero(v) {
		return resource.NewNullProperty()
	}
	return v
}

func (t Type) normal(v resource.PropertyValue) resource.PropertyValue {
	v = bare(v)
	switch {
	case t.Shape == ShapeInt && v.IsString():
		return resource.NewNumberProperty(number(v.StringValue()))
	case t.Shape == ShapeList && v.IsArray():
		list := make([]resource.PropertyValue, 0, len(v.ArrayValue()))
		for _, e := range v.ArrayValue() {
			list = append(list, t.Elem.normal(e))
		}
		return resource.NewArrayProperty(list)
	case t.Shape == ShapeMap && v.IsObject():
		m := resource.PropertyMap{}
		for k, e := range v.ObjectValue() {
			m[k] = t.Elem.normal(e)
		}
		return resource.NewObjectProperty(m)
	case t.Shape == ShapeObject && v.IsObject():
		m := resource.PropertyMap{}
		for name, f := range t.Fields {
			e, ok := v.ObjectValue()[resource.PropertyKey(name)]
			if (!ok || e.IsNull()) && f.Default != nil {
				e = resource.NewPropertyValue(f.Default)
			}
			if e = f.normal(e); !e.IsNull() {
				m[resource.PropertyKey(name)] = e
			}
		}
		return resource.NewObjectProperty(m)
	}
	return v
}

// zero reports whether a value means "not set" to the bridged providers.
func zero(v resource.PropertyValue) bool {
	switch {
	case v.IsNull():
		return true
	case v.IsString():
		return v.StringValue() == ""
	case v.IsNumber():
		return v.NumberValue() == 0
	case v.IsBool():
		return !v.BoolValue()
	case v.IsArray():
		return len(v.ArrayValue()) == 0
	case v.IsObject():
		return len(v.ObjectValue()) == 0
	}
	return false
}

// spelled gives a value a text to sort by; unknown values sort last.
func spelled(v resource.PropertyValue) string {
	plain, ok := plainValue(v)
	if !ok {
		return "\xff"
	}
	return canonical(plain)
}

// top is the first step of a property path.
func top(path string) string {
	p, err := resource.ParsePropertyPath(path)
	if err != nil || len(p) == 0 {
		return path
	}
	if s, ok := p[0].(string); ok {
		return s
	}
	return path
}
