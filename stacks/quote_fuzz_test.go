package stacks

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/distribution/reference"
	"gopkg.in/yaml.v3"
)

// FuzzQuote writes text for YAML and for compose.yaml: it is read back as it was.
func FuzzQuote(f *testing.F) {
	for _, text := range awkward() {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, one, other string) {
		list, err := quoteList([]string{one, other})
		if err != nil {
			if utf8.ValidString(one) && utf8.ValidString(other) {
				t.Errorf("%q, %q: %v", one, other, err)
			}
			return
		}
		quoted, err := quoteJSON(one)
		if err != nil {
			t.Fatal(err)
		}
		var back struct {
			One  string
			List []string
		}
		text := "one: " + quoted + "\nlist: " + list + "\n"
		if err := yaml.Unmarshal([]byte(text), &back); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if back.One != one {
			t.Errorf("%s is read as %q, was %q", quoted, back.One, one)
		}
		if len(back.List) != 2 {
			t.Fatalf("%s is %d strings", list, len(back.List))
		}
		for i, want := range []string{one, other} {
			// The two addresses are the host's to fill in.
			for _, name := range []string{"CONSTRUCT_PRIVATE_IP", "CONSTRUCT_PUBLIC_IP"} {
				want = strings.ReplaceAll(want, "${"+name+"}", "address")
			}
			got, err := template.Substitute(back.List[i], func(name string) (string, bool) {
				return "address", name == "CONSTRUCT_PRIVATE_IP" || name == "CONSTRUCT_PUBLIC_IP"
			})
			if err != nil || got != want {
				t.Errorf("%s: Compose makes %q of %q, want %q (%v)", list, got, back.List[i], want, err)
			}
		}
	})
}

// FuzzEnvFile writes environment files: Compose reads them as they were.
func FuzzEnvFile(f *testing.F) {
	for _, text := range awkward() {
		f.Add(text, "x"+text)
	}
	f.Fuzz(func(t *testing.T, one, other string) {
		file, err := envFile([]variable{{"ONE", one}, {"OTHER", other}, {"LAST", "last"}})
		if err != nil {
			return
		}
		got, err := dotenv.ParseWithLookup(strings.NewReader(string(file)), func(string) (string, bool) { return "EXPANDED", true })
		if err != nil {
			t.Fatalf("%q: %v", file, err)
		}
		if len(got) != 3 || got["ONE"] != one || got["OTHER"] != other || got["LAST"] != "last" {
			t.Errorf("%q is read as %q", file, got)
		}
	})
}

// FuzzImage puts references together: what comes out is one, of the tag and the
// digest that went in, from the mirror if there is one, and one word.
func FuzzImage(f *testing.F) {
	digest := "sha256:" + strings.Repeat("ab", 32)
	for _, text := range awkward() {
		f.Add("ghcr.io/example/construct-server"+text, "0.7.0", "", "")
		f.Add("construct-server", "0.7.0"+text, "", "")
		f.Add("localhost:5000/construct-server", "", digest+text, "mirror.example.com:5000")
		f.Add("construct-server", "0.7.0", digest, "mirror.example.com/"+text)
	}
	f.Fuzz(func(t *testing.T, repository, tag, digest, mirror string) {
		r := &renderer{d: Deployment{Release: Image{Repository: repository, Tag: tag, Digest: digest}, ImageMirror: mirror}}
		ref, err := r.image(ServiceSpec{Name: "web", Image: ConstructImage})
		if err != nil {
			return
		}
		named, err := reference.ParseNormalizedNamed(ref)
		if err != nil || named.String() != ref || len(strings.Fields(ref)) != 1 {
			t.Fatalf("%q is not a reference in full: %v", ref, err)
		}
		if mirror != "" && !strings.HasPrefix(ref, mirror+"/") {
			t.Errorf("%q is not from %q", ref, mirror)
		}
		if tag != "" && digest == "" && !strings.HasSuffix(ref, ":"+tag) || digest != "" && !strings.HasSuffix(ref, "@"+digest) {
			t.Errorf("%q is not %q, %q", ref, tag, digest)
		}
	})
}

// FuzzRoles gives the database's users arbitrary passwords: what psql runs is
// the same but for two verifiers, and holds no password.
func FuzzRoles(f *testing.F) {
	roles := func(d Deployment) (string, error) {
		b, err := Render(d, DB)
		for _, file := range b.Files {
			if strings.HasSuffix(file.Path, "/roles.sql") {
				return string(file.Content), err
			}
		}
		return "", err
	}
	plain, err := roles(testDeployment())
	if err != nil || plain == "" {
		f.Fatalf("no roles: %v", err)
	}
	for i, text := range awkward() {
		f.Add(text+"; DROP ROLE construct", "x"+text, i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, app, exporter string, marked bool) {
		if marked {
			app, exporter = mark+app, mark+exporter
		}
		d := testDeployment()
		d.Secrets.PostgresPassword, d.Secrets.PostgresExporterPassword = app, exporter
		got, err := roles(d)
		if err != nil {
			return
		}
		if made.ReplaceAllString(got, "…") != made.ReplaceAllString(plain, "…") {
			t.Errorf("%q and %q change more than the verifiers:\n%s", app, exporter, got)
		}
		if marked && strings.Contains(got, mark) {
			t.Errorf("the server is told a password:\n%s", got)
		}
	})
}

// FuzzSQLLiteral writes text for SQL: one literal, and it is the text.
func FuzzSQLLiteral(f *testing.F) {
	for _, text := range awkward() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		literal, err := sqlLiteral(text)
		if err != nil {
			return
		}
		inner := literal[1 : len(literal)-1]
		if literal[0] != '\'' || literal[len(literal)-1] != '\'' || strings.Contains(strings.ReplaceAll(inner, "''", ""), "'") {
			t.Errorf("%q is %q, not one literal", text, literal)
		}
		if strings.ReplaceAll(inner, "''", "'") != text {
			t.Errorf("%q is %q", text, literal)
		}
	})
}

// FuzzCaddyToken writes text for a Caddyfile: one token, without a placeholder,
// and it is the text.
func FuzzCaddyToken(f *testing.F) {
	for _, text := range awkward() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := caddyToken(text)
		if err != nil {
			return
		}
		if got := fmt.Sprintf("%q", lexCaddyfile("x "+token+" y\nz")); got != fmt.Sprintf("%q", []any{[]any{"x", text, "y"}, []any{"z"}}) {
			t.Errorf("%q is read as %s", token, got)
		}
		if strings.ContainsAny(text, "{}") {
			t.Errorf("%q may be a placeholder", text)
		}
	})
}

// Caddy itself reads tokens as they were.
func TestCaddyReadsTokens(t *testing.T) {
	t.Parallel()
	caddy := tool(t, "caddy")
	var file strings.Builder
	var want []string
	for _, text := range awkward() {
		if token, err := caddyToken(text); err == nil {
			fmt.Fprintf(&file, "\trespond /%d %s\n", len(want), token)
			want = append(want, text)
		}
	}
	if len(want) < 20 {
		t.Fatalf("only %d texts are taken", len(want))
	}
	adapt := exec.CommandContext(t.Context(), caddy, "adapt", "--config", "-", "--adapter", "caddyfile")
	adapt.Stdin = strings.NewReader("http://:8080 {\n" + file.String() + "}\n")
	out, err := adapt.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, file.String())
	}
	var config any
	if err := json.Unmarshal(out, &config); err != nil {
		t.Fatal(err)
	}
	bodies := map[string]bool{}
	collectBodies(config, bodies)
	for _, text := range want {
		if !bodies[text] {
			t.Errorf("Caddy does not know of %q", text)
		}
	}
}

// collectBodies gathers what responses are told to say.
func collectBodies(v any, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		if body, ok := v["body"].(string); ok {
			into[body] = true
		}
		for _, inner := range v {
			collectBodies(inner, into)
		}
	case []any:
		for _, inner := range v {
			collectBodies(inner, into)
		}
	}
}
