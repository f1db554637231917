package stacks

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
)

// awkward is text that quoting goes wrong on.
func awkward() []string {
	return []string{
		"", "x", " ", "a b", "'", `"`, `\`, `\n`, `\"`, "`", "$", "$$", "$x", "${x}", "${CONSTRUCT_PUBLIC_IP}", "{$HOME}", "{x}", "{", "}", "#", " #x",
		"a\nb", "a\r\nb", "a\tb", "a\x00b", "\x7f", "é", "\u0085", "\u00a0", "\u2028", "\u2029", "\ufeff", "\ufffe", "\U0001f511", "\U000e0001", "\xff",
		"null", "true", "1", "~", "- x", "x: y", "? x", "| x", "&a", "*a", "@x", "%x", "---", "...", "[", "]", ",", "<<EOF", "import x", "x {\n}", "--",
		"{{.}}", "//", "@", ":", "=", "%41", "%", "!", "a;b", "a--b", "/* */",
	}
}

// mark stands around what a value is made of, so that it is recognised.
const mark = "q7Zk"

// field is a setting of text that rendering uses.
type field struct {
	name  string
	value func(*Deployment) *string
}

// textFields are all settings of text: every string in a Deployment, found by
// reflection, the variant "full" being one that has them all.
func textFields() []field {
	var fields []field
	sample := variants()["full"]
	walkText(reflect.ValueOf(&sample).Elem(), nil, func(index []any) {
		index = slices.Clone(index)
		fields = append(fields, field{
			name:  fmt.Sprint(index...),
			value: func(d *Deployment) *string { return textAt(reflect.ValueOf(d).Elem(), index) },
		})
	})
	return fields
}

func walkText(v reflect.Value, at []any, found func([]any)) {
	switch v.Kind() { //nolint:exhaustive // nothing else holds text
	case reflect.String:
		found(at)
	case reflect.Pointer:
		if !v.IsNil() {
			walkText(v.Elem(), at, found)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walkText(v.Index(i), append(at, i), found)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && v.Type().Field(i).Type.Kind() != reflect.Map {
				walkText(v.Field(i), append(at, v.Type().Field(i).Name), found)
			}
		}
	}
}

func textAt(v reflect.Value, at []any) *string {
	for _, step := range at {
		v = reflect.Indirect(v)
		if name, ok := step.(string); ok {
			v = v.FieldByName(name)
		} else {
			v = v.Index(step.(int))
		}
	}
	return reflect.Indirect(v).Addr().Interface().(*string)
}

// everyRole renders all roles, or fails as one of them.
func everyRole(d Deployment) (map[string]File, error) {
	all := map[string]File{}
	for _, role := range Roles(d.Media) {
		b, err := Render(d, role)
		if err != nil {
			return nil, err
		}
		for _, f := range b.Files {
			all[string(role)+"/"+made.ReplaceAllString(f.Path, "…")] = f
		}
	}
	return all, nil
}

// harmless are words that some setting takes, whichever it is.
func harmless() []string {
	const word = "h4rmless"
	return []string{
		word, word + ".example.com", "https://" + word + ".example.com/x", word + ".example.com:587", "registry.example.com/" + word,
		"sha256:" + strings.Repeat("4a", 32), word + strings.Repeat("x", 24),
	}
}

// rendering is all files with a word in one setting.
type rendering struct {
	word  string
	files map[string]File
}

// plain is what a deployment renders to with a harmless word in a setting.
func (f field) plain(t *testing.T) rendering {
	t.Helper()
	for _, word := range harmless() {
		d := variants()["full"]
		*f.value(&d) = word
		if files, err := everyRole(d); err == nil {
			return rendering{word, files}
		}
	}
	t.Fatalf("%s: every harmless word is refused", f.name)
	return rendering{}
}

// FuzzRender gives one setting arbitrary text. It is refused, or it stands as
// it is where a harmless word stood, and nothing else differs: in Compose and
// other YAML, in environment files as Compose reads them, in Caddyfile, SQL and
// the rest. A secret stays in files that are secret.
func FuzzRender(f *testing.F) {
	fields := textFields()
	if len(fields) < 40 {
		f.Fatalf("%d settings of text: not everything", len(fields))
	}
	texts := awkward()
	for i := range max(len(fields), len(texts)) {
		f.Add(uint(i), texts[i%len(texts)], i%2 == 0)
	}
	for _, name := range []string{"Domain", "ACMEEmail", "ACMEDirectory", "ImageMirror", "KafkaPassword", "SecretsRedisReplicaPassword", "MonitoringReceiversEmailPassword"} {
		n := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		if n < 0 {
			f.Fatalf("no setting %s", name)
		}
		for _, text := range []string{`a"b`, "{$HOME}", `a\`, "a b", "a\nb", "x\n}", "#", "\u2028", "\u0085"} {
			f.Add(uint(n), text, true)
		}
	}
	var mu sync.Mutex
	plain := map[string]rendering{}
	f.Fuzz(func(t *testing.T, n uint, text string, marked bool) {
		which := fields[n%uint(len(fields))]
		if marked {
			text = mark + text + mark
		}
		d := variants()["full"]
		*which.value(&d) = text
		got, err := everyRole(d)
		if err != nil || text == "" { // without text, parts are left out
			return
		}
		mu.Lock()
		want, known := plain[which.name]
		if !known {
			want = which.plain(t)
			plain[which.name] = want
		}
		mu.Unlock()
		c := comparison{t: t, field: which.name, word: want.word, text: text}
		c.files(want.files, got)
		if !marked || !slices.Contains(d.secretValues(), text) {
			return
		}
		for name, file := range got {
			if !file.Secret && strings.Contains(string(file.Content), mark) {
				t.Errorf("%s: %s holds it and is not secret", which.name, name)
			}
		}
	})
}
