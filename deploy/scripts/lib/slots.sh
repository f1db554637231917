# shellcheck shell=bash
# slots.sh talks to the HAProxy of this host. For each service it has some
# slots, and fills them with the addresses of the service's containers by itself.

# ask_haproxy COMMANDS prints the answer to commands that are separated by ";".
ask_haproxy() {
  local id
  id=$(instances haproxy | { read -r id _ && say "$id"; })
  if [ -z "$id" ] || ! timeout --kill-after=5 20 docker exec "$id" bash /etc/haproxy/current/ask.sh "$1" 2>>"$run/compose.log"; then
    unwell='haproxy does not take commands'
    return 1
  fi
}

# slots SERVICE prints its slots: name, address ("-" for none), operational
# state (2 is up).
slots() { ask_haproxy "show servers state $1" | awk -v service="$1" '$2 == service { print $4, $5, $6 }'; }

# each_slot SERVICE STATE prints the commands that set all slots' state.
each_slot() {
  local name _ out=''
  while read -r name _; do out+="set server $1/$name state $2;"; done < <(slots "$1")
  say "$out"
}

# close_free_slots DIGEST SERVICE keeps requests from a container that is about
# to start, until open_slot.
close_free_slots() {
  local name address _ out=''
  [ "$(manifest "$1" roll | awk -v service="$2" '$1 == service { print $3 }')" != 0 ] || return 0
  while read -r name address _; do
    [ "$address" != - ] || out+="set server $2/$name state maint;"
  done < <(slots "$2")
  if [ -z "$out" ]; then
    unwell="haproxy has no free slot for $2"
    return 1
  fi
  ask_haproxy "$out" >/dev/null
}

# address_of CONTAINER is where it listens.
address_of() { docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$1"; }

# open_slot SERVICE CONTAINER lets requests in and returns when it is up.
open_slot() {
  local wanted name address state deadline=$((SECONDS + slot_seconds)) asked=''
  wanted=$(address_of "$2") || wanted=none
  while ((SECONDS < deadline)); do
    while read -r name address state; do
      [ "$address" = "$wanted" ] || continue
      [ "$state" != 2 ] || [ -z "$asked" ] || return 0
      [ -n "$asked" ] || ask_haproxy "set server $1/$name state ready" >/dev/null || return 1
      asked=yes
    done < <(slots "$1")
    sleep 0.3
  done
  unwell="$1 is healthy, but haproxy does not find it up at $wanted"
  return 1
}

# drain_slots SERVICE gives the containers of stale no further request.
drain_slots() {
  local id name address _ out='' found
  found=" $(for id in ${stale[$1]}; do address_of "$id" 2>/dev/null; done | tr '\n' ' ')"
  while read -r name address _; do
    [ "$address" = - ] || [[ $found != *" $address "* ]] || out+="set server $1/$name state drain;"
  done < <(slots "$1")
  [ -z "$out" ] || ask_haproxy "$out" >/dev/null
}

# requests counts what drained containers have under way: service, number, for
# each service that has any. One question for all, since it starts a process in
# the container.
requests() {
  local answer
  answer=$(ask_haproxy 'show servers state;show servers conn') || return 1
  # The administrative state 8 is drain, by command.
  awk '
    int($7 / 8) % 2 { draining[$2 "/" $4] = $2 }
    $1 in draining { left[draining[$1]] += $7 }
    END { for (service in left) if (left[service]) print service, left[service] }' <<<"$answer"
}
