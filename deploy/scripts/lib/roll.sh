# shellcheck shell=bash
# shellcheck disable=SC2004 # fresh, stale and the like are associative arrays
# roll.sh replaces services without a gap. The next container starts beside the
# running one, has to live for a while, takes the requests; the one before ends
# what it has begun, and goes. Which services those are, the manifest says:
# "roll SERVICE DIGEST PORT DRAIN", with the label of their containers, the port
# behind HAProxy, 0 for none, and how long a request may take.

# The longest that a manifest's DRAIN may be.
# shellcheck disable=SC2034 # unit_seconds counts it
drain_seconds=780
# A running container is stopped in so many seconds, though it be deaf.
remove_seconds=30

# instances SERVICE prints its containers, newest first: id, image, digest,
# address ("-" for none).
instances() {
  local ids
  mapfile -t ids < <(docker ps --all --quiet --no-trunc --filter "label=com.docker.compose.project=$project" \
    --filter "label=com.docker.compose.service=$1" --filter "${one_off}False")
  ((${#ids[@]} > 0)) || return 0
  docker inspect --format '{{.ID}} {{.Config.Image}} {{with index .Config.Labels "construct.digest"}}{{.}}{{else}}-{{end}} {{range .NetworkSettings.Networks}}{{with .IPAddress}}{{.}}{{else}}-{{end}}{{end}}' \
    "${ids[@]}" 2>/dev/null || true
}

# plan_roll DIGEST finds, for each rolling service that has containers, the one
# that is of the release, in fresh, and all others, in stale: ids by service. A
# service that needs nothing is in neither.
plan_roll() {
  local service config _ image id its_image its_config others
  fresh=() stale=()
  while read -r service config _; do
    image=$(manifest "$1" service | sed -n "s/^$service \([^ ]*\) .*/\1/p")
    others=''
    while read -r id its_image its_config _; do
      if [ -z "${fresh[$service]:-}" ] && [ "$its_image $its_config" = "$image $config" ]; then
        fresh[$service]=$id
      else
        others+="$id "
      fi
    done < <(instances "$service")
    if [ -n "$others" ]; then
      stale[$service]=$others
    else
      unset "fresh[$service]"
    fi
  done < <(manifest "$1" roll)
}

# sorted KEY… prints them, each on a line.
sorted() { printf '%s\n' "$@" | sort; }

# roll DIGEST replaces what plan_roll has found, or fails with the reasons in
# unwell and the containers before still serving.
roll() {
  local service missing=() scale=()
  mapfile -t rolled < <(sorted "${!stale[@]}")
  for service in "${rolled[@]}"; do
    [ -z "${fresh[$service]:-}" ] || continue
    missing+=("$service")
    scale+=(--scale "$service=$(($(wc -w <<<"${stale[$service]}") + 1))")
  done
  say "$(host_name): replacing ${rolled[*]}, each beside the one that runs"
  if ((${#missing[@]} > 0)); then
    for service in "${missing[@]}"; do
      close_free_slots "$1" "$service" || return 1
    done
    compose_up "$1" --no-deps --no-recreate "${scale[@]}" "${missing[@]}" || return 1
    for service in "${missing[@]}"; do
      fresh[$service]=$(instances "$service" | { read -r id _ && say "$id"; })
    done
  fi
  watch_fresh && hand_over "$1"
}

# watch_fresh returns when every new container is healthy and has been running
# for soak seconds without a restart.
watch_fresh() {
  local deadline=$((SECONDS + health_timeout)) healthy=0 youngest hopeless
  local -A unhealthy_since=() found=()
  while :; do
    find_fresh
    judge_found "${rolled[@]}"
    if [ -n "$hopeless" ]; then
      unwell=$hopeless
      return 1
    fi
    if [ -n "$unwell" ] && ((healthy)); then
      unwell="${unwell%%$'\n'*}, within $soak seconds of having been healthy"
      return 1
    elif [ -n "$unwell" ]; then
      ((SECONDS < deadline)) || return 1
    elif ((youngest >= soak)); then
      return 0
    else
      healthy=1
    fi
    sleep 1
  done
}

# find_fresh fills found with the new containers' lines, and youngest with the
# seconds that all of them have been running.
find_fresh() {
  local service line id started age
  local -A lines=()
  while read -r _ line; do
    [ -z "$line" ] || lines[${line##* }]=$line
  done < <(containers)
  found=() youngest=$soak
  for service in "${rolled[@]}"; do
    id=${fresh[$service]}
    found[$service]=${lines[$id]:-}
    read -r _ _ _ _ started _ <<<"${found[$service]}"
    age=$(($(printf '%(%s)T') - $(date -d "${started:-now}" +%s)))
    ((age >= youngest)) || youngest=$age
  done
}

# hand_over DIGEST gives the requests to the new containers, lets the ones
# before end theirs, and removes those.
hand_over() {
  local service port drain id deadline count left longest=0 open
  local -A ports=()
  while read -r service _ port drain; do
    if [ -z "${stale[$service]:-}" ] || ((port == 0)); then continue; fi
    ports[$service]=$port
    ((drain <= longest)) || longest=$drain
    open_slot "$service" "${fresh[$service]}" && drain_slots "$service" || return 1
  done < <(manifest "$1" roll)
  deadline=$((SECONDS + longest))
  while :; do
    open=''
    requests || return 1
    while read -r service count; do
      [ -z "$service" ] || [ -z "${ports[$service]:-}" ] || open+="$service has $count requests under way; "
    done <<<"$left"
    [ -n "$open" ] || break
    if ((SECONDS >= deadline)); then
      warn "$(host_name): after $longest seconds ${open}they are cut"
      break
    fi
    sleep 1
  done
  for service in "${rolled[@]}"; do
    for id in ${stale[$service]}; do
      timeout "$((remove_seconds + 120))" docker stop "$id" >/dev/null 2>&1 || true
      docker rm --force "$id" >/dev/null 2>&1 || true
    done
    [ -z "${ports[$service]:-}" ] || ready_slots "$service" || return 1
  done
}
