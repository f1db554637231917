# shellcheck shell=bash
# reboot-needed.sh: whether an upgrade waits for a reboot. A new kernel says so
# by itself; of a library nobody does, so the processes are looked at.

# stale_processes prints, one per line, the processes of this host that still
# run what an upgrade has replaced. Containers, which are numbered by
# themselves, are left out: their files come with their images.
stale_processes() {
  local proc=$root/proc maps process
  # One grep for all: there are hundreds, and this is asked every minute. A
  # process that has ended meanwhile has no maps.
  { grep -lsE ' /usr/[^ ]*(\.so[^ ]*|/s?bin/[^ ]*|/libexec/[^ ]*) \(deleted\)$' "$proc"/[0-9]*/maps || true; } |
    while read -r maps; do
      process=${maps%/maps}
      [ "$(readlink "$process/ns/pid")" = "$(readlink "$proc/self/ns/pid")" ] || continue
      printf '%s %s\n' "${process##*/}" "$(cat "$process/comm" 2>/dev/null)"
    done
}

# reboot_reason prints why, or nothing.
reboot_reason() {
  local stale
  if [ -e "$root/run/reboot-required" ]; then
    echo "installed: $(sort -u "$root/run/reboot-required.pkgs" 2>/dev/null | paste -s -d ' ')"
    return
  fi
  stale=$(stale_processes | cut -d ' ' -f 2- | sort -u | paste -s -d ' ')
  [ -z "$stale" ] || echo "replaced files are still used by: $stale"
}
