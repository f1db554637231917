#!/usr/bin/env bash
# Runs every fuzz target for a while, each alone. What it finds is written to
# testdata/fuzz beside the target: commit it with the fix, and every later
# `go test` tries it again.
#
# Usage: tools/fuzz.sh [TIME [TARGET]]   (default: 10s each, all targets)
set -euo pipefail
cd "$(dirname "$0")/.."

time=${1:-10s}
only=${2:-.*}
cache=$PWD/.tools/fuzz
failed=()

# targets prints "DIRECTORY TARGET" for each.
targets() {
  grep -roE --include='*_test.go' --exclude-dir=.tools '^func Fuzz[A-Za-z0-9_]*' . |
    sed -E 's|^\./(.*)/[^/]*_test\.go:func (.*)|\1 \2|' | sort -u
}

binary='' built=''
while read -r dir target; do
  [[ $target =~ ^($only)$ ]] || continue
  # Built once a package: with its counters, and with everything below it.
  if [ "$built" != "$dir" ]; then
    mkdir -p "$cache"
    binary=$cache/${dir//\//-}.test built=$dir
    go test -c -fuzz=Fuzz -o "$binary" "./$dir"
  fi
  echo "fuzz: $dir $target for $time" >&2
  # An interesting input is not worth a minute of making it smaller.
  (cd "$dir" && "$binary" -test.run='^$' -test.fuzz="^$target\$" -test.fuzztime="$time" -test.fuzzminimizetime=1s \
    -test.fuzzcachedir="$cache/corpus/$dir") >"$cache/log" 2>&1 || { cat "$cache/log"; failed+=("$dir $target"); continue; }
  tail -n 2 "$cache/log" | head -n 1 >&2
done < <(targets)

((${#failed[@]} == 0)) || { printf 'fuzz: failed: %s\n' "${failed[@]}" >&2; exit 1; }
