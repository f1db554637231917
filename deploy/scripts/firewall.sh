#!/bin/bash
# construct-firewall: which packets pass on this host, and how that changes
# without locking anybody out.
#
# A new ruleset is on trial first: it judges every packet of the SSH connection
# that brings it as if that connection were new. If they come in, so will the
# next connection, and the ruleset stays. If they do not, or this script ends
# without a word, the ruleset before is back: at once, or by a timer.
#
# A second connection would prove no more, and an operator's run that ends
# between the two would leave a ruleset that nobody confirms.
set -euo pipefail

lib=${CONSTRUCT_LIB:-/usr/local/lib/construct}
# shellcheck source=lib/common.sh
source "$lib/common.sh"

rules=$etc/firewall.nft       # has stood its trial; loaded at boot
candidate=$run/firewall.nft   # has not
undo_unit=construct-firewall-undo

usage() {
  cat <<'TEXT'
usage: construct-firewall COMMAND

  apply DIGEST [--patience S] [--undo-after S]   try the ruleset on stdin, behind one line that is skipped
  undo                                           load the last ruleset that stood its trial
  status                                         the loaded rules, with what they have counted
  loaded                                         the digest of the ruleset that stood its trial, and whether it filters:
                                                 loaded, altered, absent, or unknown
TEXT
}

# apply waits at most patience seconds for the connection's packets; the timer
# is for the case that nobody waits any more.
apply() {
  local version=$1 patience=10 undo_after=60
  shift
  while (($# > 0)); do
    case $1 in
    --patience) patience=$2 ;;
    --undo-after) undo_after=$2 ;;
    *) die "construct-firewall: unknown argument '$1'" ;;
    esac
    shift 2
  done
  install -d -m 0700 "$run"
  exec 8>>"$run/firewall.lock"
  flock -w 100 8 || die 'another change of the firewall has not ended'
  read -r _
  cat >"$candidate"
  [ "$(sha256sum <"$candidate" | cut -c 1-12)" = "$version" ] || die "ruleset $version has not arrived as it was sent"
  nft --check --file "$candidate" || die "nft refuses ruleset $version; nothing was changed"
  if ! cmp -s "$candidate" "$rules"; then
    stand_trial "$version" "$patience" "$undo_after"
    mv -f "$candidate" "$rules"
  fi
  # Again, and without what the trial has added.
  nft --file "$rules"
  disarm
  systemctl start construct-firewall.service
  say "ruleset $version filters"
}

# stand_trial VERSION PATIENCE UNDO_AFTER loads the candidate and returns if
# this connection's packets still come in.
stand_trial() {
  local version=$1 patience=$2 undo_after=$3 connection=() deadline
  read -r -a connection < <(connection)
  arm "$undo_after"
  # A connection that is cut must not end the script before it has undone.
  trap '' PIPE HUP
  trap 'undo; disarm' EXIT
  { cat "$candidate" && trial_rules "${connection[@]}"; } | nft --file - 8>&-
  deadline=$((SECONDS + patience))
  # Without an SSH connection somebody sits at the console.
  until ((${#connection[@]} == 0)) || (($(trial_packets) > 0)); do
    ((SECONDS < deadline)) ||
      die "ruleset $version does not let in the connection that brought it (from ${connection[0]}); the one before is back"
    say 'waiting to be answered under the new ruleset'
    sleep 0.1
  done
  trap - EXIT
}

# trial_rules CLIENT PORT SERVER PORT has the connection judged as a new one,
# and counts what of it comes in.
trial_rules() {
  (($# == 4)) || return 0
  local ip=ip match
  [[ $1 != *:* ]] || ip=ip6
  match="$ip saddr $1 tcp sport $2 $ip daddr $3 tcp dport $4"
  cat <<NFT
insert rule inet construct prerouting $match goto from_outside
add counter inet construct trial
add chain inet construct trial { type filter hook input priority 0; policy accept; }
add rule inet construct trial $match counter name trial
NFT
}

trial_packets() {
  nft list counter inet construct trial | sed -n 's/.*packets \([0-9]*\) .*/\1/p'
}

# connection prints the SSH connection of whoever calls: "CLIENT PORT SERVER
# PORT". sudo hides it from the environment.
connection() {
  local pid=$$ found=''
  while ((pid > 1)) && [ -z "$found" ]; do
    found=$(environ_of "$pid" SSH_CONNECTION)
    pid=$(awk '$1 == "PPid:" { print $2 }' "/proc/$pid/status")
  done
  [[ $found =~ ^[0-9a-f.:]+\ [0-9]+\ [0-9a-f.:]+\ [0-9]+$ ]] || found=''
  say "$found"
}

# arm has the timer undo what comes, unless it is disarmed in time.
arm() {
  disarm
  systemd-run --quiet --collect --unit="$undo_unit" --on-active="$1" --timer-property=AccuracySec=1s \
    "$(readlink -f "${BASH_SOURCE[0]}")" undo 8>&-
}

disarm() {
  systemctl --quiet stop "$undo_unit.timer" 2>/dev/null || true
}

undo() {
  if [ -e "$rules" ]; then
    nft --file "$rules"
  else
    nft delete table inet construct 2>/dev/null || true
  fi
}

# loaded compares what the kernel filters by with what it makes of the ruleset in
# a network of its own, where nothing is filtered by it.
loaded() {
  local version=- now want state=unknown
  [ ! -e "$rules" ] || version=$(sha256sum <"$rules" | cut -c 1-12)
  # shellcheck disable=SC2016 # the inner sh expands
  if ! now=$(nft --stateless list table inet construct 2>/dev/null); then
    state=absent
  elif want=$(unshare --net sh -c 'nft --file "$1" && nft --stateless list table inet construct' sh "$rules" 2>/dev/null); then
    state=altered
    [ "$now" != "$want" ] || state=loaded
  fi
  say "$version $state"
}

main() {
  local command=${1:-}
  [ $# = 0 ] || shift
  case $command in
  apply) apply "$@" ;;
  undo) undo ;;
  status) nft list table inet construct ;;
  loaded) loaded ;;
  *)
    usage >&2
    return 2
    ;;
  esac
}

main "$@"
exit
