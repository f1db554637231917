package program

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// commitDigits is how much of a hash is kept.
	commitDigits = 12
	// gitTimeout bounds a git that waits for a file system or a helper: a
	// deployment does not depend on the answer.
	gitTimeout = 10 * time.Second
)

// ciCommits are the variables in which CI systems name the commit that they
// build: GitHub's and compatible ones', GitLab's.
var ciCommits = []string{"GITHUB_SHA", "CI_COMMIT_SHA"}

var fullHash = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// commit names what the program in dir is made of: the checkout's commit, with
// "-dirty" when a tracked file differs from it; without a usable checkout
// (none, no git, another user's), the commit that CI says it builds; else "".
// An untracked file is not counted: a stack's own configuration often is one.
func commit(ctx context.Context, dir string, getenv func(string) string) string {
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	// Without a tag that matches, describe gives the bare hash. It must not
	// lock the index against whoever commits meanwhile.
	git := exec.CommandContext(ctx, "git", "--no-optional-locks", "describe", "--always", "--dirty", "--exclude=*", "--abbrev="+strconv.Itoa(commitDigits))
	git.Dir, git.Env = dir, gitEnvironment(os.Environ())
	if out, err := git.Output(); err == nil {
		return strings.TrimSpace(string(out))
	}
	for _, name := range ciCommits {
		if hash := getenv(name); fullHash.MatchString(hash) {
			return hash[:commitDigits]
		}
	}
	return ""
}

// gitEnvironment is what git needs of an environment. The program's own holds
// the whole configuration, and the operator's may hold the cloud's token.
func gitEnvironment(all []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return name != "PATH" && name != "HOME" && name != "XDG_CONFIG_HOME" && !strings.HasPrefix(name, "GIT_")
	})
}
