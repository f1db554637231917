#!/bin/bash
# reach.sh NAME ADDRESS PORT SECONDS HOSTKEY
#
# Runs on the gateway. Waits until NAME answers SSH at ADDRESS, and refuses a
# host key other than HOSTKEY ("ssh-ed25519 AAAA…"). The provider's own proxy
# connection names neither the host nor the cause when either goes wrong.
set -u

main() {
  local name=$1 address=$2 port=$3 seconds=$4 want=$5
  local deadline=$((SECONDS + seconds)) cause='nothing tried' got wrong_since=''
  while ((SECONDS < deadline)); do
    if got=$(ssh-keyscan -T 3 -p "$port" -t "${want%% *}" "$address" 2>&1 | sed -n 's/^[^# ][^ ]* \([^ ]* AAAA.*\)/\1/p') && [ -n "$got" ]; then
      [ "$got" = "$want" ] && return 0
      # An image may run sshd with keys of its own for its first seconds.
      wrong_since=${wrong_since:-$SECONDS}
      if ((SECONDS - wrong_since >= 15)); then
        echo "$name: the machine at $address shows the host key '$got', expected '$want'." \
          "Either it was not created by this stack, or its host key was changed." >&2
        return 1
      fi
    else
      wrong_since=''
      cause=$(probe "$address" "$port")
    fi
    sleep 1
  done
  echo "$name: no answer from sshd at $address port $port for $seconds seconds, dialled from $(hostname): $cause." >&2
  return 1
}

# probe says why a TCP connection fails.
probe() {
  local out
  # shellcheck disable=SC2016 # the inner bash expands
  if out=$(timeout 3 bash -c 'exec 3<>"/dev/tcp/$1/$2"' _ "$1" "$2" 2>&1); then
    echo 'the port is open, but no SSH handshake was possible'
    return
  fi
  out=$(sed -n 's/.*: \([A-Z][a-z ]*\)$/\1/p' <<<"$out" | tail -n 1)
  echo "${out:-no reply to connection attempts (is the host up, does a firewall drop them?)}"
}

main "$@" </dev/null
exit
