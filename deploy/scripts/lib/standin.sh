# shellcheck shell=bash
# shellcheck disable=SC2004 # fresh, asked and the like are associative arrays
# standin.sh replaces, without a gap, what has the host's ports itself, so that
# no two of it can run: HAProxy and Caddy. A stand-in of the new version starts
# without ports and has to live for a while. A rule of the host's gives it every
# new connection, the one before ends what it has begun, the new one starts in
# its place, gets the connections, and the stand-in ends what it has begun. Which
# services those are, the manifest says: "standin SERVICE DIGEST DRAIN
# PORT/PROTOCOL…", with the label of their containers, how long a request may
# take, and the ports that they have on the host.

# Whoever has not been asked anything for so long is not about to be.
idle_seconds=10

# diversion SERVICE is the table of rules that lead its connections away.
diversion() { say "construct_standin_$1"; }

# diversions prints the services whose connections are led away.
diversions() { nft list tables ip 2>/dev/null | sed -n "s/^table ip $(diversion '')//p"; }

diverted() { nft list table ip "$(diversion "$1")" >/dev/null 2>&1; }
undivert() { nft delete table ip "$(diversion "$1")" 2>/dev/null || true; }

# standins prints service and id of each that there is: an interrupted run may
# have left some.
standins() {
  docker ps --all --no-trunc --filter "label=com.docker.compose.project=$project" --filter "${one_off}True" \
    --format '{{.Label "com.docker.compose.service"}} {{.ID}}'
}

standin_of() { standins | sed -n "s/^$1 //p" | head -n 1; }

# stand_in DIGEST takes the connections from what is about to be made anew, or
# fails with the reason in unwell and everything as it was. A service whose
# connections a run before has led away already keeps the stand-in that it has.
stand_in() {
  local service config drain ports image id its_image its_config
  local -A fresh=() ending=() ends=()
  local rolled=()
  # Not only this release's: one of before may stand in for less.
  while read -r service; do
    [ -z "$service" ] || runs "$(standin_of "$service")" || undivert "$service"
  done <<<"$(diversions)"
  while read -r service id; do
    [ -z "$id" ] || diverted "$service" || docker rm --force "$id" >/dev/null 2>&1 || true
  done <<<"$(standins)"
  while read -r service config drain ports; do
    ! diverted "$service" || continue
    image=$(manifest "$1" service | sed -n "s/^$service \([^ ]*\) .*/\1/p")
    # The first start bridges no gap.
    read -r id its_image its_config _ < <(instances "$service") || continue
    [ "$its_image $its_config" != "$image $config" ] || continue
    runs "$id" || continue
    rolled+=("$service")
    ending[$service]=$id ends[$service]=$drain
  done < <(manifest "$1" standin)
  ((${#rolled[@]} > 0)) || return 0
  say "$(host_name): replacing ${rolled[*]}, while a stand-in of the new version has the connections"
  for service in "${rolled[@]}"; do
    start_standin "$1" "$service" || return 1
    fresh[$service]=$(standin_of "$service")
  done
  watch_fresh || return 1
  while read -r service _ _ ports; do
    [ -n "${ending[$service]:-}" ] || continue
    divert "$service" "${fresh[$service]}" "$ports" || return 1
  done < <(manifest "$1" standin)
  end_begun
}

runs() { [ -n "$1" ] && [ "$(pid_of "$1")" != 0 ]; }

# pid_of CONTAINER is the process that its engine watches; 0 when it does not run.
pid_of() { docker inspect --format '{{.State.Pid}}' "$1" 2>/dev/null || say 0; }

# start_standin DIGEST SERVICE: its ports are published on the loopback, anywhere,
# for the engine to let connections through to them.
start_standin() {
  local port publish=()
  for port in $(manifest "$1" standin | sed -n "s/^$2 [^ ]* [^ ]* //p"); do
    publish+=(--publish "127.0.0.1::$port")
  done
  compose "$1" run --detach --no-deps --no-TTY --quiet-pull --name "$project-$2-standin" "${publish[@]}" "$2" || {
    unwell="$2 is without a container"
    return 1
  }
}

# divert SERVICE CONTAINER PORTS leads new connections to the container: those
# that come in, those of the host, and those of containers beside it, which would
# otherwise be answered past the host. It is told by name only now that it can
# serve.
divert() {
  local address subnet port rules=''
  {
    docker network disconnect "${project}_default" "$2" &&
      docker network connect --alias "$1" "${project}_default" "$2" &&
      read -r address subnet < <(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.Gateway}}/{{.IPPrefixLen}}{{end}}' "$2")
  } >>"$run/compose.log" 2>&1 || {
    unwell="$1 has no address"
    return 1
  }
  for port in $3; do rules+="${port#*/} dport ${port%/*} dnat to $address"$'\n'; done
  nft --file - >>"$run/compose.log" 2>&1 <<NFT || {
table ip $(diversion "$1")
delete table ip $(diversion "$1")
table ip $(diversion "$1") {
  chain divert {
    ip daddr 127.0.0.0/8 return
    fib daddr type != local return
    $rules
  }
  # Before Docker's own (-100): the first that translates a connection is the last.
  chain prerouting { type nat hook prerouting priority -110; jump divert; }
  chain output { type nat hook output priority -110; jump divert; }
  chain postrouting { type nat hook postrouting priority 90; ip saddr $subnet ip daddr $address ct status dnat masquerade; }
}
NFT
    unwell="$1 has connections that cannot be led to a stand-in"
    return 1
  }
}

# end_begun asks the containers in ending, by service, to end, and returns when
# they have no request under way; after so many seconds as ends says these are cut.
# It asks by a signal, not by Docker: what Docker has stopped does not come back
# after a power cut. As it is, Docker starts it again, and nobody connects.
end_begun() {
  local service left deadline signal longest=0
  local -A processes=() asked=() quiet_since=()
  for service in "${!ending[@]}"; do
    ((${ends[$service]:-0} <= longest)) || longest=${ends[$service]}
    processes[$service]=$(pid_of "${ending[$service]}")
    [ "${processes[$service]}" != 0 ] || continue
    signal=$(docker inspect --format '{{.Config.StopSignal}}' "${ending[$service]}") || continue
    kill -s "${signal:-SIGTERM}" "${processes[$service]}" || true
  done
  deadline=$((SECONDS + longest))
  sleep 0.3 # what has nothing to end
  while :; do
    left=''
    for service in $(sorted "${!ending[@]}"); do
      ended "${ending[$service]}" "${processes[$service]}" || idle "$service" "${ending[$service]}" || left+="$service "
    done
    [ -n "$left" ] || return 0
    ((SECONDS < deadline)) || break
    sleep 1
  done
  warn "$(host_name): after $longest seconds ${left}has requests under way; they are cut"
}

# ended CONTAINER PID tells whether that process is over.
ended() { [ "$2" = 0 ] || [ "$(pid_of "$1")" != "$2" ]; }

# idle SERVICE CONTAINER tells whether a HAProxy that ends waits only for
# connections that nobody uses: it has no request under way, and has got none for a
# while. Connections alone do not say so: of one whose answer is awaited the last
# thing may be as old on both sides. Every other program closes them itself.
idle() {
  local under_way='' ever=''
  [ "$1" = haproxy ] || return 1
  read -r under_way ever < <(timeout --kill-after=5 20 docker exec "$2" bash /etc/haproxy/current/busy.sh 2>/dev/null) || true
  if [ "$under_way" != 0 ] || [ "$ever" != "${asked[$1]:-}" ]; then
    asked[$1]=$ever quiet_since[$1]=$SECONDS
    return 1
  fi
  ((SECONDS - quiet_since[$1] >= idle_seconds))
}

# stand_down DIGEST gives the connections back to what is published again, and
# has stand-ins end what they have begun. It knows those of runs before as well.
stand_down() {
  local service id
  local -A ending=() ends=()
  while read -r service id; do
    [ -n "$id" ] || continue
    undivert "$service"
    ending[$service]=$id ends[$service]=$(manifest "$1" standin | sed -n "s/^$service [^ ]* \([0-9]*\) .*/\1/p")
  done <<<"$(standins)"
  ((${#ending[@]} > 0)) || return 0
  end_begun
  for id in "${ending[@]}"; do docker rm --force "$id" >/dev/null 2>&1 || true; done
}
