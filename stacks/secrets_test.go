package stacks

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"
)

// A secret is in files marked secret and nowhere else, and such files are for
// their owner alone.
func TestSecretsStayInSecretFiles(t *testing.T) {
	t.Parallel()
	for name, d := range variants() {
		for _, role := range Roles(d.Media) {
			b := mustRender(t, d, role)
			for _, f := range b.Files {
				holds := bytes.Contains(f.Content, []byte(canary))
				for _, s := range d.secretValues() {
					holds = holds || bytes.Contains(f.Content, []byte(sha256Hex(s)))
				}
				if holds && !f.Secret {
					t.Errorf("%s/%s: %s holds a secret and is not marked", name, role, f.Path)
				}
				if f.Secret && f.Mode.Perm()&0o077 != 0 {
					t.Errorf("%s/%s: %s has mode %v", name, role, f.Path, f.Mode)
				}
			}
		}
	}
}

// Every secret reaches the services that cannot do without it.
func TestSecretsArrive(t *testing.T) {
	t.Parallel()
	d := variants()["full"]
	var all bytes.Buffer
	for _, role := range Roles(true) {
		for _, f := range mustRender(t, d, role).Files {
			all.Write(f.Content)
		}
	}
	for _, s := range d.secretValues() {
		if !strings.Contains(all.String(), s) && !strings.Contains(all.String(), sha256Hex(s)) {
			t.Errorf("secret %.20q is used by nobody", s)
		}
	}
}

// A digest is public, so it must not let anybody try secrets offline: with
// another key everything about it differs.
func TestDigestsAreKeyed(t *testing.T) {
	t.Parallel()
	a, b := testDeployment(), testDeployment()
	b.DigestKey = []byte("another-key-of-32-bytes-length!!")
	one, two := mustRender(t, a, App), mustRender(t, b, App)
	if one.Digest == two.Digest || one.Services[0].ConfigDigest == two.Services[0].ConfigDigest {
		t.Error("a digest does not depend on the key")
	}
	if len(one.Digest) < 16 {
		t.Errorf("digest %q is too short", one.Digest)
	}
	a.DigestKey = nil
	if _, err := Render(a, App); err == nil {
		t.Error("rendered without a digest key")
	}
}

func TestEnvFileRefuses(t *testing.T) {
	t.Parallel()
	for want, vars := range map[string][]variable{
		"given twice":  {{"A", "1"}, {"B", "2"}, {"A", "3"}},
		"empty":        {{"A", ""}},
		"a line break": {{"A", "one\ntwo"}},
		"a quote":      {{"A", "it's $5"}},
		"a backslash":  {{"A", `C:\ $x`}},
	} {
		if _, err := envFile(vars); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want %q", vars, err, want)
		}
	}
}

// A password as hard as they come arrives whole in the connection URLs.
func TestURLsEscapePasswords(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	d.Secrets.PostgresPassword = "p@ss:w/rd?#[]" + base64.StdEncoding.EncodeToString([]byte("??>>"))
	for _, f := range mustRender(t, d, App).Files {
		if f.Path == "env/auth-service.env" && !bytes.Contains(f.Content, []byte(":p%40ss%3Aw%2Frd%3F%23%5B%5D")) {
			t.Errorf("DATABASE_URL is not escaped:\n%s", f.Content)
		}
	}
}

func TestArchive(t *testing.T) {
	t.Parallel()
	b := mustRender(t, testDeployment(), DB)
	one, err := b.Archive()
	if err != nil {
		t.Fatal(err)
	}
	two, err := mustRender(t, testDeployment(), DB).Archive()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one, two) {
		t.Error("two archives of one bundle differ")
	}
	files := map[string]File{}
	for _, f := range b.Files {
		files[f.Path] = f
	}
	last := ""
	for r := tar.NewReader(bytes.NewReader(one)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Name <= last {
			t.Errorf("%q after %q", h.Name, last)
		}
		last = h.Name
		if h.ModTime.Unix() != 0 || h.Uname != "" {
			t.Errorf("%q: time %v, owner name %q", h.Name, h.ModTime, h.Uname)
		}
		if h.Typeflag == tar.TypeDir {
			if want := map[bool]int64{true: 0o700, false: 0o755}[h.Name == "env/"]; h.Mode != want || h.Uid != 0 {
				t.Errorf("directory %q: mode %o, owner %d", h.Name, h.Mode, h.Uid)
			}
			continue
		}
		f, ok := files[h.Name]
		if !ok || int64(f.Mode.Perm()) != h.Mode || f.UID != h.Uid || f.GID != h.Gid || h.Size != int64(len(f.Content)) {
			t.Errorf("%q: header %+v does not match the file", h.Name, h)
		}
		delete(files, h.Name)
	}
	for name := range files {
		t.Errorf("%q is missing", name)
	}
}
