# shellcheck shell=bash
# volume.sh mounts the data volume, and formats it only if nothing is on it.
# It grows in a step of its own (grow.sh).

mount_volume() {
  local deadline=$((SECONDS + 120)) found
  while [ ! -b "$device" ]; do
    ((SECONDS < deadline)) || die "the volume $device has not appeared in 120 seconds: is it attached?"
    sleep 1
  done
  found=$(blkid_type "$device")
  case $found in
  '') mkfs.ext4 -q -m 1 -L construct "$device" ;;
  ext4) ;;
  *) die "the volume $device holds '$found', expected ext4 or nothing: it is left alone" ;;
  esac
  install -d -m 0755 /srv/construct
  keep_running srv-construct.mount || mount_fails
  mountpoint -q /srv/construct || mount_fails
  # By device number: names are links, and may be another volume's by now.
  [ "$(mountpoint -d /srv/construct)" = "$(mountpoint -x "$device")" ] ||
    die "another volume than $device is mounted at /srv/construct: reboot this host, or stop Docker and restart srv-construct.mount"
}

mount_fails() {
  journalctl --no-pager --quiet -n 20 -u srv-construct.mount >&2
  die "the volume $device is not mounted at /srv/construct; a damaged file system is repaired by e2fsck -f $device"
}

# blkid_type DEVICE prints what is on it. blkid ends with 2 when it finds
# nothing at all; any other failure must not look like an empty disk.
blkid_type() {
  local out code=0
  out=$(blkid --probe --output value --match-tag TYPE "$1") || code=$?
  case $code in
  0 | 2) ;;
  *) die "cannot tell what is on $1 (blkid ended with $code)" ;;
  esac
  if [ -z "$out" ] && [ "$(blkid --probe --output value --match-tag PTTYPE "$1")" ]; then
    out='a partition table'
  fi
  echo "$out"
}
