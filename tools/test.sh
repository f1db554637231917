#!/usr/bin/env bash
# Runs every test and shows what was skipped, with the reason of each. In CI a
# skip that is not expected is a failure: a tool is missing there, or broken.
set -euo pipefail
cd "$(dirname "$0")/.."

# What tests have measured: of those that pass, gotestsum shows nothing.
CONSTRUCT_MEASURED=$(mktemp)
export CONSTRUCT_MEASURED
events=$(mktemp)
finish() {
  cat "$CONSTRUCT_MEASURED"
  rm -f "$CONSTRUCT_MEASURED" "$events"
}
trap finish EXIT

# What no machine of CI's has: the right to let a kernel grow a mounted file
# system; and what is not part of this: a measurement, the other cloud's container
# hosts, and the soak's, for which the clouds' own command lines are built.
expected='TestHetznersCommandLine|TestDigitalOceansCommandLine|TestDeployment/[a-z]+/grows_a_volume_under_the_running_database|TestBootTime|TestDeployment/hetzner|TestPackets/digitalocean|TestKilledOnContainerHosts|TestTrouble'

run() {
  go tool -modfile=tools/go.mod gotestsum --format pkgname-and-test-fails --jsonfile "$events" "$@"
  local unexpected
  unexpected=$(sed -nE 's/.*"Action":"skip","Package":"([^"]+)","Test":"([^"]+)".*/\1 \2/p' "$events" |
    grep -vE " ($expected)\$" | sort) || true
  [ -n "$unexpected" ] || return 0
  printf 'test: skipped, and not expected to be:\n%s\n' "$unexpected" >&2
  [ -z "${CI:-}" ]
}

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
