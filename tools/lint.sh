#!/usr/bin/env bash
# Formatting, vet, the linters of .golangci.yml, shell scripts, workflows, and
# whatever looks like a committed secret (.gitleaks.toml says what only does).
# Prints every finding and fails if there is one.
# shellcheck disable=SC2317 # the functions are called through step
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
failed=0
# A cache shared with another checkout reports that one's paths.
export GOLANGCI_LINT_CACHE=$PWD/.tools/golangci-cache

step() {
  printf 'lint: %s\n' "$1" >&2
  shift
  "$@" || failed=1
}

unformatted() {
  local files
  # shellcheck disable=SC2046 # file names here have no spaces
  files=$(gofmt -l $(git ls-files -- '*.go'))
  [ -z "$files" ] || { printf 'not formatted (gofmt -w):\n%s\n' "$files"; return 1; }
}

shells() {
  command -v shellcheck >/dev/null || { echo "shellcheck is not installed (tools/packages.sh)"; return 1; }
  # shellcheck disable=SC2046 # file names here have no spaces
  shellcheck $(git ls-files -- '*.sh' .ci/run ':!deploy/scripts') &&
    # The hosts' scripts are checked with the libraries that they source.
    (cd deploy/scripts && shellcheck --external-sources --check-sourced --exclude SC2317 ./*.sh)
}

machine_paths() {
  # Nothing of one machine may be in what is shipped.
  ! git grep -nIE '(^|[^a-z.])/(work|root|home/[a-z]+|tmp/[a-z]+)/' -- '*.go' '*.sh' '*.md' '*.yaml' '*.yml' Makefile ':!tools/lint.sh'
}

tools/build.sh golangci-lint gitleaks || exit 1
step gofmt unformatted
step golangci-lint .tools/bin/golangci-lint run --timeout 20m ./...
step shellcheck shells
step actionlint go tool -modfile=tools/go.mod actionlint -shellcheck= .github/workflows/*.yml
step "machine paths" machine_paths
step gitleaks .tools/bin/gitleaks dir --no-banner --redact --verbose .
exit $failed
