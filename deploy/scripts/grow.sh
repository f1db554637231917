#!/bin/bash
# grow.sh DEVICE GB
#
# Makes the data volume's file system as large as the volume, mounted and in
# use. Where it already is, nothing happens.
set -euo pipefail

lib=${CONSTRUCT_LIB:-/usr/local/lib/construct}
# shellcheck source=lib/common.sh
source "$lib/common.sh"

main() {
  local device=$1 gb=$2 out
  CONSTRUCT_WHO=${CONSTRUCT_WHO:-$(caller)}
  mountpoint -q "$root/srv/construct" ||
    die "the volume $device is not mounted at /srv/construct: see systemctl status srv-construct.mount"
  await_size "$device" "$gb"
  out=$(with_lock 900 'growing the file system' resize2fs "$device" 2>&1) ||
    die "the file system on $device could not be grown to $gb GB: $out"
}

# await_size DEVICE GB waits until the kernel knows the volume's size, which
# it learns some time after the cloud says that it is done. Both clouds count
# in GiB; that it may be fewer bytes is for one that does not.
await_size() {
  local device=$1 gb=$2 deadline=$((SECONDS + ${CONSTRUCT_GROW_SECONDS:-60})) bytes
  while :; do
    bytes=$(blockdev --getsize64 "$device")
    ((bytes < gb * 1024 ** 3)) || return 0
    rescan "$device"
    ((SECONDS < deadline)) || break
    sleep 1
  done
  ((bytes >= gb * 1000 ** 3)) ||
    die "the volume $device has $bytes bytes here, $gb GB were asked for: a reboot of this host shows it the new size"
}

# rescan asks a SCSI disk for its size; other disks tell by themselves.
rescan() {
  local file
  file=/sys/class/block/$(basename "$(readlink -f "$1")")/device/rescan
  [ ! -w "$file" ] || echo 1 >"$file"
}

main "$@" </dev/null
exit
