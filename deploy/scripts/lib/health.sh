# shellcheck shell=bash
# health.sh starts a release and decides whether it lives.

# Without a health check a container counts as healthy after running this long.
steady_seconds=5
# A container that Docker calls unhealthy has this long to recover.
unhealthy_seconds=30
# So many restarts during one wait are a crash loop.
crash_restarts=3
# docker compose up itself, which waits for dependencies that must be healthy.
compose_seconds=${CONSTRUCT_COMPOSE_SECONDS:-600}

# start_release DIGEST makes what runs equal to the release: containers whose
# configuration is the same stay untouched. What is replaced without a gap comes
# after what is not, which it may need, and leaves nothing to the last step.
start_release() {
  local -A fresh=() stale=()
  local rolled=() others=() service
  : >"$run/compose.log"
  stand_in "$1" || return 1
  plan_roll "$1"
  if ((${#stale[@]} > 0)) || [ -n "$(standins)" ]; then
    while read -r service; do
      [ -n "${stale[$service]:-}" ] || others+=("$service")
    done < <(manifest "$1" service | cut -d ' ' -f 1)
    if ((${#others[@]} > 0)); then
      compose_up "$1" --no-deps "${others[@]}" && wait_healthy "$1" "$health_timeout" "${others[@]}" || return 1
    fi
    stand_down "$1"
    ((${#stale[@]} == 0)) || roll "$1" || return 1
  fi
  compose_up "$1" --remove-orphans
}

# compose_up DIGEST ARGUMENT… starts containers of a release.
compose_up() { compose "$1" up --detach --quiet-pull --no-build "${@:2}"; }

# compose DIGEST COMMAND… is Docker Compose, for a release.
compose() {
  local dir=$releases/$1
  timeout --kill-after=10 "$compose_seconds" \
    docker compose --project-name "$project" --project-directory "$dir" \
    --env-file "$etc/host.env" --file "$dir/compose.yaml" "${@:2}" >>"$run/compose.log" 2>&1
}

# note_restarts remembers how often each container has restarted so far, in
# $restarts_before by id: a container that stays is not blamed for its past.
note_restarts() {
  local restarts id
  restarts_before=()
  while read -r _ _ _ restarts _ _ _ id; do
    # shellcheck disable=SC2004 # an associative array of the caller's
    [ -z "$id" ] || restarts_before[$id]=$restarts
  done <<<"$(containers)"
}

# wait_healthy DIGEST SECONDS [SERVICE…] returns when those services, or all of
# the release, are healthy, or fails with the reasons in $unwell: one line per
# service, its name first. It fails before the time is up only on what will not
# pass.
wait_healthy() {
  local digest=$1 deadline=$((SECONDS + $2)) services=("${@:3}")
  local -A unhealthy_since=()
  ((${#services[@]} > 0)) || mapfile -t services < <(manifest "$digest" service | cut -d ' ' -f 1)
  while :; do
    judge_all "${services[@]}"
    [ -n "$unwell" ] || return 0
    if [ -n "$hopeless" ]; then
      unwell=$hopeless
      return 1
    fi
    ((SECONDS < deadline)) || return 1
    sleep 1
  done
}

# judge_all SERVICE… sets unwell and hopeless from one look at all containers.
# Of several of one service the newest counts, which comes first; a stand-in never.
judge_all() {
  local name line
  local -A found=()
  while read -r name line; do
    [ -z "$name" ] || found[$name]=${found[$name]:-$line}
  done <<<"$(published)"
  judge_found "$@"
}

# judge_found SERVICE… judges by what the caller has found: containers' lines
# without the name, by service.
judge_found() {
  local name verdict
  unwell='' hopeless=''
  for name in "$@"; do
    judge "${found[$name]:-}"
    case $verdict in
    healthy) unset "unhealthy_since[$name]" ;;
    unhealthy)
      unhealthy_since[$name]=${unhealthy_since[$name]:-$SECONDS}
      unwell+="$name is unhealthy"$'\n'
      ((SECONDS - unhealthy_since[$name] < unhealthy_seconds)) || hopeless+="$name is unhealthy for $unhealthy_seconds seconds"$'\n'
      ;;
    'crashes '*) hopeless+="$name keeps exiting (${verdict#crashes })"$'\n' ;;&
    *) unwell+="$name is ${verdict}"$'\n' ;;
    esac
  done
}

# judge LINE sets verdict to healthy, unhealthy, "crashes …" or what it waits
# for. LINE is containers' line for a service, without its name.
judge() {
  local status code restarts health started oom id
  if [ -z "$1" ]; then
    verdict='without a container'
    return
  fi
  read -r status code restarts health started oom id <<<"$1"
  restarts=$((restarts - ${restarts_before[$id]:-0}))
  if ((restarts >= crash_restarts)); then
    verdict="crashes exit code $(last_exit "$id" "$code"), $restarts restarts"
    [ "$oom" != true ] || verdict+=', out of memory'
  elif [ "$status" != running ]; then
    verdict="$status, exit code $code"
  elif [ "$health" = starting ]; then
    verdict='starting, not healthy yet'
  elif [ "$health" != none ]; then
    verdict=$health
  elif (($(printf '%(%s)T') - $(date -d "$started" +%s) >= steady_seconds)); then
    verdict=healthy
  else
    verdict='up for a moment'
  fi
}

# last_exit ID CODE prints the exit code of a container's last death within ten
# minutes, else CODE: the state of one that was restarted says 0.
last_exit() {
  local now died
  now=$(date +%s)
  died=$(docker events --since "$((now - 600))" --until "$now" --filter container="$1" --filter event=die \
    --format '{{index .Actor.Attributes "exitCode"}}' 2>/dev/null | tail -n 1) || true
  say "${died:-$2}"
}
