#!/usr/bin/env bash
# Types what the README tells people to type without a cloud account, and what
# `make up` prints at its end. Its production commands are TestReadmeInProduction's.
set -euo pipefail
cd "$(dirname "$0")/.."

# A second `make up`, after a `make down`, may take so many seconds, where a
# process starts within so many microseconds. It consists of thousands of them, and
# on a slower machine it may take as much longer as they do. Ordinary ones need 2000.
limit=180
process_us=5000
said=$(mktemp)

fail() { echo "readme: $*" >&2 && exit 1; }

finish() { make down && rm -f "$said"; }
trap finish EXIT

# up ARGUMENTS: a make up whose words are shown and kept in $said.
up() { make up "$@" | tee /dev/stderr >"$said"; }

# printed PREFIX: the commands that the last make up printed after PREFIX.
printed() { sed -n "s/^ *$1  *//p" "$said"; }

# type_in COMMAND: in a shell of its own, as printed.
type_in() { bash -euo pipefail -c "$1" </dev/null; }

# summary: every command that the last make up printed does what it is for.
summary() {
  local line plan count=0
  while read -r line; do
    type_in "$line true" || fail "$line: does not log in"
    count=$((count + 1))
  done < <(printed ssh)
  [ $count = 5 ] || fail "$count ssh commands were printed (want 5)"
  plan=$(type_in "$(printed pulumi)")
  grep -q ' unchanged$' <<<"$plan" || fail "the printed pulumi previews nothing: $plan"
  ! grep -E ' to (create|update|replace|delete)$' <<<"$plan" || fail "the printed pulumi shows changes: $plan"
}

help=$(make help)
while read -r target; do
  grep -q "  make $target " <<<"$help" || fail "make help does not list $target"
done < <(sed -n 's/^\([a-z]*\):.*## .*/\1/p' Makefile)

up HOSTS=dry
summary
# As by a reboot: the next one finds what is left of it, and starts afresh.
kill -KILL "$(cat .sim/simulator.pid)"
up CLOUD=hetzner HOSTS=dry
grep -q 'has died' "$said" || fail "make up does not say that the simulator had died"
[ ! -e Pulumi.sim-digitalocean.yaml ] || fail "the dead simulator's stack is still there"
summary
# The second finds everything as it should be.
up CLOUD=hetzner HOSTS=dry
awk '
  / unchanged$/ { same = 1 }
  /[0-9] (created|updated|replaced|deleted)$/ { changed = 1 }
  END { exit changed || !same }' "$said" || fail "a second make up changed something"
make down
[ ! -e .sim ] || fail "make down left .sim"

docker info >/dev/null 2>&1 || { echo "readme: no Docker engine, so no container hosts" >&2 && exit 0; }
began=${EPOCHREALTIME/./}
for _ in {1..100}; do bash -c :; done
us=$(((${EPOCHREALTIME/./} - began) / 100))
((us <= process_us)) || limit=$((limit * us / process_us))
started=$SECONDS
up
took=$((SECONDS - started))
echo "readme: make up on container hosts took $took s (want at most $limit, where a process starts in $us us)" >&2
summary
[ "$(printed ssh | while read -r line; do type_in "$line hostname"; done | sort -u | wc -l)" = 5 ] || fail "the ssh commands do not lead to five servers"
answer=$(type_in "$(printed 'the name is simulated:') --fail --silent --show-error")
grep -q ok <<<"$answer" || fail "GET /health by the printed curl: $answer"
((took <= limit)) || fail "make up took $took s (want at most $limit)"
make down
trap - EXIT
rm -f "$said"
[ -z "$(docker ps --all --quiet --filter label=construct.sim.instance=sim)" ] || fail "make down left containers"
