package stacks

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// dump writes a whole bundle as one reviewable text.
func dump(b Bundle) []byte {
	var out bytes.Buffer
	for _, f := range b.Files {
		mark := ""
		if f.Secret {
			mark = " secret"
		}
		content := f.Content
		if path.Base(f.Path) == "server.key" { // nothing that looks like a real key belongs in a repository
			content = []byte("key " + sha256Hex(string(content)) + "\n")
		}
		if path.Ext(f.Path) == ".json" { // thousands of lines, with tests of their own
			content = []byte("a dashboard, as in media/grafana/dashboards\n")
		}
		fmt.Fprintf(&out, "==> %s %04o %d:%d%s\n%s\n", f.Path, f.Mode.Perm(), f.UID, f.GID, mark, content)
	}
	return out.Bytes()
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, d := range variants() {
		for _, role := range Roles(d.Media) {
			same := map[string][]Role{"no-domain": {App, DB, Message}, "rotating": {DB, Message, Media}}
			if slices.Contains(same[name], role) {
				continue // as plain
			}
			t.Run(name+"/"+string(role), func(t *testing.T) {
				t.Parallel()
				got := dump(mustRender(t, d, role))
				file := filepath.Join("testdata", "golden", name+"-"+string(role)+".txt")
				if *update {
					if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(file, got, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), string(got)); diff != "" {
					t.Errorf("-want +got (go test -update rewrites it):\n%s", diff)
				}
			})
		}
	}
}
