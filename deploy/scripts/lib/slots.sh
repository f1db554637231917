# shellcheck shell=bash
# slots.sh talks to the HAProxy of this host. For each service it has some
# slots, and fills them with the addresses of the service's containers by itself.

# Of a slot's administrative states, those that a command has set: maint, drain.
by_command=9

# ask_haproxy COMMANDS fills answer with what it says to commands that are
# separated by ";".
ask_haproxy() {
  local id
  id=$(instances haproxy | { read -r id _ && say "$id"; })
  if [ -z "$id" ] || ! answer=$(timeout --kill-after=5 20 docker exec "$id" bash /etc/haproxy/current/ask.sh "$1" 2>>"$run/compose.log"); then
    unwell='haproxy does not take commands'
    return 1
  fi
}

# find_slots SERVICE fills slots with a line for each: name, address ("-" for
# none), operational state (2 is up), administrative state (0 is ready).
find_slots() {
  local answer
  ask_haproxy "show servers state $1" || return 1
  slots=$(awk -v service="$1" '$2 == service { print $4, $5, $6, $7 }' <<<"$answer")
}

# ready_slots SERVICE gives all of its slots back to HAProxy's own judgement.
ready_slots() {
  local name _ out='' slots answer
  find_slots "$1" || return 1
  while read -r name _; do [ -z "$name" ] || out+="set server $1/$name state ready;"; done <<<"$slots"
  ask_haproxy "$out"
}

# close_free_slots DIGEST SERVICE keeps requests from a container that is about
# to start, until open_slot.
close_free_slots() {
  local name address _ out='' slots answer
  [ "$(manifest "$1" roll | awk -v service="$2" '$1 == service { print $3 }')" != 0 ] || return 0
  find_slots "$2" || return 1
  while read -r name address _; do
    [ "$address" != - ] || out+="set server $2/$name state maint;"
  done <<<"$slots"
  if [ -z "$out" ]; then
    unwell="haproxy has no free slot for $2"
    return 1
  fi
  ask_haproxy "$out"
}

# address_of CONTAINER is where it listens.
address_of() { docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$1"; }

# open_slot SERVICE CONTAINER lets requests in and returns when it is up. HAProxy
# finds it within a second where a processor is free; as the one before serves,
# it may take as long as becoming healthy. When a name is looked up again, an
# address can get into another slot, and that one may be closed.
open_slot() {
  local wanted name address state admin deadline=$((SECONDS + health_timeout)) slots answer
  wanted=$(address_of "$2") || wanted=none
  while :; do
    find_slots "$1" || return 1
    while read -r name address state admin; do
      [ "$address" = "$wanted" ] || continue
      if ((admin & by_command)); then
        ask_haproxy "set server $1/$name state ready" || return 1
      elif [ "$state" = 2 ]; then
        return 0
      fi
    done <<<"$slots"
    ((SECONDS < deadline)) || break
    sleep 0.3
  done
  unwell="$1 is healthy, but haproxy does not find it up at $wanted within $health_timeout seconds; slot, address, state, administrative state: ${slots//$'\n'/, }"
  return 1
}

# drain_slots SERVICE gives the containers of stale no further request.
drain_slots() {
  local id name address _ out='' found slots answer
  found=" $(for id in ${stale[$1]}; do address_of "$id" 2>/dev/null; done | tr '\n' ' ')"
  find_slots "$1" || return 1
  while read -r name address _; do
    [ "$address" = - ] || [[ $found != *" $address "* ]] || out+="set server $1/$name state drain;"
  done <<<"$slots"
  [ -z "$out" ] || ask_haproxy "$out"
}

# requests fills left with what drained containers have under way: service,
# number, for each service that has any. One question for all, since it starts a
# process in the container.
requests() {
  local answer
  ask_haproxy 'show servers state;show servers conn' || return 1
  # The administrative state 8 is drain, by command.
  left=$(awk '
    int($7 / 8) % 2 { draining[$2 "/" $4] = $2 }
    $1 in draining { left[draining[$1]] += $7 }
    END { for (service in left) if (left[service]) print service, left[service] }' <<<"$answer" | sort)
}
