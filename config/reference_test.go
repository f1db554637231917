package config

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

var update = flag.Bool("update", false, "write docs/configuration.md and Pulumi.yaml from schema.go")

// setting is one key of the reference.
type setting struct {
	Path    string // "ssh.port"; "[]" for an element, "<name>" for a map's key
	Doc     string
	Type    string
	Default string
	Secret  bool
	object  bool
}

// flatten lists schema.go: every key, in order, with its doc comment.
func flatten(t *testing.T) []setting {
	t.Helper()
	comments := map[string]string{} // "sshFile.Port" → comment
	for _, name := range []string{"schema.go", "schema_services.go", "schema_receivers.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			for _, field := range spec.Type.(*ast.StructType).Fields.List {
				comments[spec.Name.Name+"."+field.Names[0].Name] = strings.Join(strings.Fields(field.Doc.Text()), " ")
			}
			return false
		})
	}
	return settings(t, comments, reflect.ValueOf(defaults()), "")
}

func settings(t *testing.T, comments map[string]string, object reflect.Value, path string) []setting {
	t.Helper()
	var list []setting
	for i := range object.NumField() {
		field, value := object.Type().Field(i), object.Field(i)
		s := setting{
			Path: join(path, field.Tag.Get("json")), Doc: comments[object.Type().Name()+"."+field.Name],
			Type: kindName(field.Type), Secret: field.Tag.Get("secret") == "true",
		}
		if s.Doc == "" {
			t.Errorf("%s.%s in schema.go has no doc comment", object.Type().Name(), field.Name)
		}
		var inner reflect.Value
		switch below := s.Path; field.Type.Kind() {
		case reflect.Struct:
			inner, s.object = value, true
		case reflect.Pointer:
			inner, s.object = reflect.New(field.Type.Elem()).Elem(), true
		case reflect.Slice, reflect.Map:
			if elem := field.Type.Elem(); elem.Kind() == reflect.Struct {
				suffix := map[reflect.Kind]string{reflect.Slice: "[]", reflect.Map: ".<name>"}[field.Type.Kind()]
				list = append(list, s)
				list = append(list, settings(t, comments, reflect.New(elem).Elem(), below+suffix)...)
				continue
			}
		default:
			if !value.IsZero() {
				s.Default = fmt.Sprint(value.Interface())
			} else if value.Kind() == reflect.Bool {
				s.Default = "false"
			}
		}
		list = append(list, s)
		if s.object {
			list = append(list, settings(t, comments, inner, s.Path)...)
		}
	}
	return list
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "number"
	case reflect.Slice:
		return "list"
	default:
		return "object"
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is out of date, run: go test ./config -update\n%s", file, diff)
	}
}

func TestReferenceIsGeneratedFromTheSchema(t *testing.T) {
	t.Parallel()
	tmpl, err := template.New("configuration.md.tmpl").Option("missingkey=error").ParseFiles("testdata/configuration.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	for _, s := range flatten(t) {
		doc, fallback := s.Doc, ""
		if s.Secret {
			doc += " **Secret.**"
		}
		if s.Default != "" {
			fallback = "`" + s.Default + "`"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", s.Path, s.Type, doc, fallback)
	}
	var page bytes.Buffer
	if err := tmpl.Execute(&page, map[string]string{"Reference": strings.TrimSpace(table.String())}); err != nil {
		t.Fatal(err)
	}
	golden(t, "../docs/configuration.md", page.String())
}

// projectHead is Pulumi.yaml up to the keys.
const projectHead = `# Written from config/schema.go: go test ./config -update
#
# The keys carry no types on purpose: the engine would stop at the first value
# of a wrong one, before the program can report all that is wrong at once. The
# program checks types itself. For the same reason no key is without a default.
name: construct
runtime: go
description: Five servers that run Construct Server, on DigitalOcean or Hetzner Cloud
config:
`

func TestProjectFileDeclaresEveryKey(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString(projectHead)
	for _, s := range flatten(t) {
		if strings.ContainsAny(s.Path, ".[") {
			continue
		}
		fallback := s.Default
		switch {
		case s.Type == "object":
			fallback = "{}"
		case s.Type == "list":
			fallback = "[]"
		case fallback == "":
			fallback = `""`
		}
		fmt.Fprintf(&text, "  %s%s:\n    description: %s\n    default: %s\n", namespace, s.Path, yamlText(t, s.Doc), fallback)
	}
	golden(t, "../Pulumi.yaml", text.String())
}

func yamlText(t *testing.T, text string) string {
	t.Helper()
	out, err := yaml.Marshal(strings.ReplaceAll(text, "`", ""))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
