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

# only_out_of_time says whether a failed run reports nothing but the end of its
# own time. Go before 1.27 now and then takes that for a failure, without an input
# that fails (https://go.dev/issue/75804). Whatever else a run reports is a failure.
only_out_of_time() { # LOG TARGET
  local report
  report=$(grep -vE '^(fuzz: elapsed: |warning: |PASS$)' "$1" | sed -E 's/ \([0-9.]+s\)$//')
  [ "$report" = "--- FAIL: $2"$'\n'"    context deadline exceeded"$'\n'"FAIL" ]
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
  if ! (cd "$dir" && "$binary" -test.run='^$' -test.fuzz="^$target\$" -test.fuzztime="$time" \
    -test.fuzzminimizetime=1s -test.fuzzcachedir="$cache/corpus/$dir") >"$cache/log" 2>&1 &&
    ! only_out_of_time "$cache/log" "$target"; then
    cat "$cache/log"
    failed+=("$dir $target")
    continue
  fi
  grep '^fuzz: ' "$cache/log" | tail -n 1 >&2
done < <(targets)

((${#failed[@]} == 0)) || { printf 'fuzz: failed: %s\n' "${failed[@]}" >&2; exit 1; }
