package stacks

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"text/template"
)

// sources holds the Compose templates and, at <role>/<service>/, the templates
// of that service's configuration directory. redis/ is what both Redis share,
// haproxy/ what every HAProxy has, logs/ what the agents do.
//
//go:embed compose.yaml.tmpl service.yaml.tmpl gateway db message media redis haproxy logs
var sources embed.FS

// execute renders one template strictly: a missing key is an error.
func execute(name string, data any) ([]byte, error) {
	text, err := sources.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("template %q: %w", name, err)
	}
	t, err := template.New(name).Option("missingkey=error").Funcs(template.FuncMap{
		"q": quote, "ql": quoteList, "qj": quoteJSON, "sha256": sha256Hex, "join": strings.Join, "sql": sqlLiteral,
		"caddy": caddyToken, "bare": bareWord,
	}).Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("template %q: %w", name, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		return nil, fmt.Errorf("template %q: %w", name, err)
	}
	return out.Bytes(), nil
}

// templates renders the files below root: those named .tmpl as templates, the
// others as they are. A file in which a secret appears is one.
func (r *renderer) templates(root string) ([]File, error) {
	view := r.view()
	var files []File
	err := fs.WalkDir(sources, root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && name == root:
			return fs.SkipDir
		case err != nil:
			return fmt.Errorf("template %q: %w", name, err)
		case entry.IsDir():
			return nil
		}
		var content []byte
		plain, isTemplate := strings.CutSuffix(name, ".tmpl")
		if isTemplate {
			content, err = execute(name, view)
		} else {
			content, err = sources.ReadFile(name)
		}
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(content)) == 0 {
			return nil // a file that this deployment does not need
		}
		f := File{Path: strings.TrimPrefix(plain, root+"/"), Mode: 0o444, Content: content}
		if r.holdsSecret(content) {
			f.Mode, f.Secret = 0o400, true
		}
		files = append(files, f)
		return nil
	})
	return files, err
}

// holdsSecret tells whether a secret, or a hash of one, is in the content.
func (r *renderer) holdsSecret(content []byte) bool {
	for _, s := range append(r.d.secretValues(), r.redisOperator) {
		if bytes.Contains(content, []byte(s)) || bytes.Contains(content, []byte(sha256Hex(s))) {
			return true
		}
	}
	return bytes.Contains(content, []byte(scramMark))
}

func sha256Hex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
