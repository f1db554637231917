// Package docs_test keeps the documentation true: what it links to exists, and
// what it tells people to type is what the programs understand.
package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/cmd/construct/fleetcmd"
	"github.com/construct-server/infra/cmd/construct/initcmd"
	"github.com/construct-server/infra/cmd/construct/repaircmd"
	"github.com/construct-server/infra/cmd/construct/seriescmd"
	"github.com/construct-server/infra/cmd/construct/simcmd"
)

const root = ".."

// pages are the documentation, text by path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"README.md", "docs/*.md", "docs/adr/*.md", "docs/roles/*.md", "docs/runbooks/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			all[file] = string(text)
		}
	}
	return all
}

var (
	fence    = regexp.MustCompile("(?ms)^```[a-z]*\n(.*?)^```")
	indented = regexp.MustCompile(`(?m)(?:^\n|\A)((?:^    .*\n)+)`)
	inline   = regexp.MustCompile("(?s)`([^`]+?)`")
	// between are what separates commands on a line.
	between = regexp.MustCompile(`&&|\|\||[|;]|\$\(|\)"?`)
)

// commands are the lines that a page tells people to type, comments cut off
// and continued lines joined, each as words.
func commands(text string) [][]string {
	var blocks []string
	for _, found := range append(fence.FindAllStringSubmatch(text, -1), indented.FindAllStringSubmatch(text, -1)...) {
		blocks = append(blocks, found[1])
	}
	for _, found := range inline.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		blocks = append(blocks, strings.ReplaceAll(found[1], "\n", " "))
	}
	var all [][]string
	for _, block := range blocks {
		for line := range strings.Lines(strings.ReplaceAll(block, "\\\n", " ")) {
			line, _, _ = strings.Cut(line, " #")
			for _, part := range between.Split(line, -1) {
				if words := strings.Fields(strings.Trim(strings.TrimSpace(part), `"`)); len(words) > 1 {
					all = append(all, words)
				}
			}
		}
	}
	return all
}

// typed lists, by page, the arguments of every use of a program.
func typed(t *testing.T, program string) map[string][][]string {
	t.Helper()
	found := map[string][][]string{}
	for page, text := range pages(t) {
		for _, words := range commands(text) {
			if filepath.Base(words[0]) == program {
				found[page] = append(found[page], words[1:])
			}
		}
	}
	require.NotEmpty(t, found, "no page says what to do with %s", program)
	return found
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors are a page's headings as GitHub names them.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(text, -1) {
		all[strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")] = true
	}
	return all
}

func TestLinksResolve(t *testing.T) {
	t.Parallel()
	all := pages(t)
	for page, text := range all {
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			target, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := page
			if target != "" {
				file = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(file); !assert.NoError(t, err, "%s: %s", page, found[1]) {
				continue
			}
			if anchor != "" {
				assert.True(t, anchors(all[file])[anchor], "%s: %s has no heading #%s", page, file, anchor)
			}
		}
	}
}

func TestMakeTargetsExist(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	targets, variables := map[string]bool{}, map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^([a-z]+):`).FindAllStringSubmatch(string(text), -1) {
		targets[found[1]] = true
	}
	for _, found := range regexp.MustCompile(`(?m)^([A-Z]+) \?=`).FindAllStringSubmatch(string(text), -1) {
		variables[found[1]] = true
	}
	for page, uses := range typed(t, "make") {
		for _, words := range uses {
			for _, word := range words {
				if name, _, set := strings.Cut(word, "="); set {
					assert.True(t, variables[name], "%s: make %s: no variable %s", page, strings.Join(words, " "), name)
				} else {
					assert.True(t, targets[word], "%s: make %s: no target %s", page, strings.Join(words, " "), word)
				}
			}
		}
	}
}

func TestConstructCommandsExist(t *testing.T) {
	t.Parallel()
	// As in cmd/construct, which is a program and cannot be imported.
	construct := &cobra.Command{Use: "construct"}
	construct.AddCommand(initcmd.New(), repaircmd.New(), seriescmd.New(), simcmd.New())
	construct.AddCommand(fleetcmd.New()...)
	for page, uses := range typed(t, "construct") {
		for _, words := range uses {
			said := page + ": construct " + strings.Join(words, " ")
			command, rest, err := construct.Find(words)
			if err != nil || !command.Runnable() && len(rest) > 0 {
				t.Errorf("%s: no such command (%v)", said, err)
				continue
			}
			for _, word := range rest {
				if word == "--" {
					break // a command of the host's follows
				}
				if name, isFlag := strings.CutPrefix(word, "--"); isFlag {
					name, _, _ = strings.Cut(name, "=")
					assert.NotNil(t, command.Flags().Lookup(name), "%s: no flag --%s", said, name)
				}
			}
		}
	}
}

// TestReleaseCommandsExist reads the case statement of construct-release, which
// is a shell script.
func TestReleaseCommandsExist(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile(filepath.Join(root, "deploy", "scripts", "release.sh"))
	require.NoError(t, err)
	for page, text := range pages(t) {
		for _, words := range commands(text) {
			if words[0] == "sudo" {
				words = words[1:]
			}
			if filepath.Base(words[0]) != "construct-release" || len(words) < 2 {
				continue
			}
			name, _, _ := strings.Cut(words[1], "|")
			if !strings.Contains(string(script), "\n  "+name+") ") {
				t.Errorf("%s: no command construct-release %s", page, name)
			}
		}
	}
}

func TestCitedTestsExist(t *testing.T) {
	t.Parallel()
	exist := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w*)\(`)
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != root && strings.HasPrefix(entry.Name(), ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, found := range declared.FindAllStringSubmatch(string(text), -1) {
			exist[found[1]] = true
		}
		return err
	}))
	cited := regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*)`")
	count := 0
	for page, text := range pages(t) {
		for _, found := range cited.FindAllStringSubmatch(text, -1) {
			count++
			assert.True(t, exist[found[1]], "%s: there is no test %s", page, found[1])
		}
	}
	assert.Greater(t, count, 50, "the lessons cite tests")
}

// TestCitedCasesExist looks for the corpus cases that the lessons cite.
func TestCitedCasesExist(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("lessons.md")
	require.NoError(t, err)
	lists := regexp.MustCompile("corpus ((?:`[a-z0-9-]+`(?:, )?)+)").FindAllStringSubmatch(string(text), -1)
	require.NotEmpty(t, lists)
	for _, list := range lists {
		for _, found := range inline.FindAllStringSubmatch(list[1], -1) {
			assert.FileExists(t, filepath.Join(root, "config", "configtest", "testdata", "invalid", found[1]+".txtar"))
		}
	}
}
