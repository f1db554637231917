#!/usr/bin/env bash
# Runs every test and counts what was skipped, with the reason of each. A test
# of the container level fails by itself, rather than skip, where Docker runs.
set -euo pipefail
cd "$(dirname "$0")/.."

# What tests have measured: of those that pass, gotestsum shows nothing.
CONSTRUCT_MEASURED=$(mktemp)
export CONSTRUCT_MEASURED
finish() {
  cat "$CONSTRUCT_MEASURED"
  rm -f "$CONSTRUCT_MEASURED"
}
trap finish EXIT

run() { go tool -modfile=tools/go.mod gotestsum --format pkgname-and-test-fails "$@"; }

# At once, not after an hour: the last part brings up a deployment of its own.
if [ -e .sim ]; then
  echo "test: a simulated deployment is up in this checkout, or was: take it down first (make down)" >&2
  exit 1
fi

# Nothing but the tests of what collects logs needs it.
tools/build.sh otelcol-contrib

# Packages that boot hosts come last and alone: they are timed, and what they
# wait for must not wait for other packages' compilers.
hosts='/e2e$|/sim/host/container$'
mapfile -t packages < <(go list ./... | grep -vE "$hosts")
mapfile -t booting < <(go list ./... | grep -E "$hosts")

run -- -timeout 25m -p 2 "${packages[@]}"
tools/fuzz.sh 5s
run -- -timeout 65m -p 1 "${booting[@]}"

tools/readme.sh
