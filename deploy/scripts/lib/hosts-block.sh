#!/bin/sh
# Copies /etc/construct/hosts into a block of /etc/hosts, for the host's own
# lookups. Again at every boot, since images and clouds may write /etc/hosts
# anew. Written in place: in a container the file is a mount point.
set -eu

root=${CONSTRUCT_ROOT:-}
new=$(mktemp)
awk '
  /^# construct begin/ { skip = 1 }
  !skip
  /^# construct end/ { skip = 0 }' "$root/etc/hosts" >"$new"
{
  echo '# construct begin: a copy of /etc/construct/hosts, changes here are lost'
  cat "$root/etc/construct/hosts"
  echo '# construct end'
} >>"$new"
cmp -s "$new" "$root/etc/hosts" || cat "$new" >"$root/etc/hosts"
rm -f "$new"
