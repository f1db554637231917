package deploy

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"mvdan.cc/sh/v3/syntax"
)

func shellScripts(t *testing.T) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(scripts, "scripts", func(name string, _ fs.DirEntry, err error) error {
		if path.Ext(name) == ".sh" {
			names = append(names, name)
		}
		return err
	})
	require.NoError(t, err)
	require.Greater(t, len(names), 10)
	return names
}

func TestScriptsParse(t *testing.T) {
	t.Parallel()
	for _, name := range shellScripts(t) {
		content, err := scripts.ReadFile(name)
		require.NoError(t, err)
		parse(t, string(content))
		assert.Less(t, bytes.Count(content, []byte("\n")), 250, "%s is too long", name)
	}
}

func TestScriptsPassShellcheck(t *testing.T) {
	t.Parallel()
	shellcheck, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Skip("shellcheck is not installed")
	}
	for _, name := range shellScripts(t) {
		if (strings.Contains(name, "/lib/") && !strings.HasSuffix(name, "-up.sh") && !strings.HasSuffix(name, "-block.sh")) || strings.Contains(name, "/setup/") {
			continue // sourced by one of the others, and checked with it
		}
		// SC2317: functions that another script calls look unreachable.
		check := exec.CommandContext(t.Context(), shellcheck, "-x", "-a", "-e", "SC2317", strings.TrimPrefix(name, "scripts/"))
		check.Dir = "scripts"
		out, err := check.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
}

func TestScriptTreeIsStable(t *testing.T) {
	t.Parallel()
	one, err := scriptTree()
	require.NoError(t, err)
	two, err := scriptTree()
	require.NoError(t, err)
	assert.Equal(t, one, two)
}

func TestScriptMissing(t *testing.T) {
	t.Parallel()
	_, err := script("none.sh")
	require.ErrorContains(t, err, `read script "none.sh"`)
}

// parse fails on text that is not shell.
func parse(t *testing.T, text string) {
	t.Helper()
	_, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
	require.NoError(t, err, "%s", text)
}

// What a command is handed is unpacked on its host by gzip and tar.
func TestPackIsGzip(t *testing.T) {
	t.Parallel()
	tree, err := scriptTree()
	require.NoError(t, err)
	packed, err := base64.StdEncoding.DecodeString(pack(tree))
	require.NoError(t, err)
	assert.Less(t, len(packed), len(tree)/2)
	r, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	assert.Equal(t, tree, got)
}
