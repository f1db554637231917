#!/bin/bash
# construct-reboot [--check]
#
# Reboots this host if an upgrade waits for it: under the lock, so never during
# a release, and only while every other server answers, so that no two are down
# at once. --check only says why it would.
set -euo pipefail

lib=${CONSTRUCT_LIB:-/usr/local/lib/construct}
# shellcheck source=lib/common.sh
source "$lib/common.sh"
# shellcheck source=lib/state.sh
source "$lib/state.sh"
# shellcheck source=lib/reboot-needed.sh
source "$lib/reboot-needed.sh"

main() {
  local reason
  reason=$(reboot_reason)
  if [ -z "$reason" ]; then
    say 'no reboot is needed'
    return 0
  fi
  case ${1:-} in
  --check) say "$reason" ;;
  locked) reboot_host "$reason" ;;
  '')
    CONSTRUCT_WHO=${CONSTRUCT_WHO:-$(caller)}
    export CONSTRUCT_WHO
    # A process of its own: with_lock's condition switches errexit off within
    # functions.
    with_lock 1800 'a reboot' "$0" locked
    ;;
  *) die "construct-reboot: unknown argument '$1'" ;;
  esac
}

reboot_host() {
  local address name digest
  while read -r address name; do
    ping -q -c 3 -W 2 "$address" >/dev/null 2>&1 || die "not rebooting: $name ($address) does not answer"
  done <"$etc/hosts"
  say "rebooting: $1"
  digest=$(current_digest) || digest=-
  record reboot "$digest" - "$1"
  systemctl reboot
  # The lock is held until the shutdown ends this, so that no release begins.
  sleep "${CONSTRUCT_REBOOT_SECONDS:-600}"
}

main "$@" </dev/null
exit
