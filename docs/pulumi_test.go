package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPulumiCommandsExist asks the CLI that make built, or the one on PATH, for
// the help of every command and looks for the flags that are used.
func TestPulumiCommandsExist(t *testing.T) {
	t.Parallel()
	pulumi, err := filepath.Abs(filepath.Join(root, ".tools", "bin", "pulumi"))
	require.NoError(t, err)
	if _, err := os.Stat(pulumi); err != nil {
		if pulumi, err = exec.LookPath("pulumi"); err != nil {
			t.Skip("no pulumi in .tools/bin or on PATH: run make tools")
		}
	}
	help := map[string]string{}
	for page, uses := range typed(t, "pulumi") {
		for _, words := range uses {
			said := page + ": pulumi " + strings.Join(words, " ")
			name := subcommand(words)
			if _, asked := help[name]; !asked {
				cmd := exec.CommandContext(t.Context(), pulumi, append(strings.Fields(name), "--help")...)
				cmd.Env = append(os.Environ(), "PULUMI_SKIP_UPDATE_CHECK=true")
				out, err := cmd.CombinedOutput()
				require.NoError(t, err, "%s\n%s", said, out)
				help[name] = string(out)
			}
			// The help of an unknown command is that of the one above it.
			if !strings.Contains(help[name], "pulumi "+name) {
				t.Errorf("%s: no such command", said)
				continue
			}
			for _, word := range words {
				if strings.HasPrefix(word, "--") {
					flag, _, _ := strings.Cut(word, "=")
					assert.True(t, regexp.MustCompile(regexp.QuoteMeta(flag)+`\b`).MatchString(help[name]), "%s: no flag %s", said, flag)
				}
			}
		}
	}
}

// groups are the Pulumi commands of which the next word is a command too.
var groups = map[string]bool{"stack": true, "config": true, "state": true}

// subcommand is the part of a command line that names the command.
func subcommand(words []string) string {
	if groups[words[0]] && len(words) > 1 && !strings.HasPrefix(words[1], "-") {
		return words[0] + " " + words[1]
	}
	return words[0]
}
