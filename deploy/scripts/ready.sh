#!/bin/bash
# ready.sh NAME SECONDS
#
# Waits until first boot is over. cloud-init ends with 2 on recoverable errors
# and with 1 as soon as any module failed, one of the image's or the cloud's
# own included: neither matters if what the user data asked for is there.
set -u

main() {
  local name=$1 seconds=$2 code=0
  timeout "$seconds" cloud-init status --wait >/dev/null 2>&1 || code=$?
  case $code in
  0) ;;
  124)
    echo "$name: cloud-init has not finished after $seconds seconds:" >&2
    cloud-init status --long >&2
    return 1
    ;;
  *)
    echo "$name: cloud-init ended with errors:" >&2
    cloud-init status --long >&2
    ;;
  esac
  if ! sudo -n true 2>/dev/null; then
    echo "$name: $(id -un) may not use sudo without a password: the user data was not applied." >&2
    return 1
  fi
}

main "$@" </dev/null
exit
