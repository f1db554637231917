# shellcheck shell=bash
# pull.sh fetches images before anything is touched, so that a registry's bad
# day never stops what runs.

pull() {
  local timeout=1200 payload unit
  while (($# > 0)); do
    case $1 in
    --timeout) timeout=$2 && shift 2 ;;
    --) shift && break ;;
    *) die "pull: unknown argument '$1'" ;;
    esac
  done
  install -d -m 0700 "$run"
  unit=construct-pull-$(printf '%s\n' "$@" | sha256sum | cut -c 1-12)
  payload=$(umask 077 && mktemp "$run/logins.XXXXXX")
  # By hand there are no logins, and nobody closes standard input.
  [ -t 0 ] || grep '^login ' >"$payload" || true
  local code=0
  detached "$unit" "$((timeout + 60))" "$0" pull-worker "$timeout" "$payload" "$@" || code=$?
  rm -f "$payload"
  return "$code"
}

# pull_worker TIMEOUT LOGINS IMAGE… The logins are in memory only, and only
# while it runs.
pull_worker() {
  local timeout=$1 payload=$2 deadline image failed=() pids=()
  shift 2
  deadline=$((SECONDS + timeout))
  DOCKER_CONFIG=$(mktemp -d -p "$run" docker.XXXXXX)
  export DOCKER_CONFIG
  # shellcheck disable=SC2064 # the paths of now
  trap "rm -rf '$DOCKER_CONFIG' '$payload'" EXIT
  log_in <"$payload"
  for image in "$@"; do
    pull_image "$image" "$deadline" &
    pids+=("$!")
  done
  for image in "$@"; do
    wait "${pids[0]}" || failed+=("$image")
    pids=("${pids[@]:1}")
  done
  ((${#failed[@]} == 0)) || die "could not pull ${failed[*]}"
  say "pulled $# images"
}

log_in() {
  local server user password
  while read -r _ server user password; do
    server=$(base64 -d <<<"$server") user=$(base64 -d <<<"$user")
    retry 3 log_in_once "$server" "$user" "$password" ||
      die "log in to registry $server as $user: $(grep -v -i warning "$DOCKER_CONFIG/log" | tail -n 1)"
  done
}

log_in_once() {
  base64 -d <<<"$3" | docker login --username "$2" --password-stdin "$1" >/dev/null 2>"$DOCKER_CONFIG/log"
}

# pull_image IMAGE DEADLINE tries until the deadline what may pass by itself,
# at most five times.
pull_image() {
  local image=$1 deadline=$2 attempt out left
  for attempt in 1 2 3 4 5; do
    left=$((deadline - SECONDS))
    ((left > 0)) || left=1
    if out=$(timeout "$left" docker pull --quiet "$image" 2>&1); then
      return 0
    fi
    case $out in
    *'manifest unknown'* | *'not found'* | *'no matching manifest'* | *denied* | *unauthorized* | *'invalid reference'*) break ;;
    esac
    ((SECONDS + attempt * 3 < deadline)) || break
    sleep "$((attempt * 3))"
  done
  warn "$(host_name): pull $image: ${out:-no answer within the time given}"
  # A tag is never given twice, so a copy is as good.
  docker image inspect "$image" >/dev/null 2>&1 || return 1
  warn "$(host_name): the copy of $image that is here is used"
}
