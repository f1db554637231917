# shellcheck shell=bash
# hardening-reboots.sh: this host's window for reboots.

plan_reboots() {
  if [ -z "$reboot_at" ]; then
    keep_stopped construct-reboot.timer
    return 0
  fi
  # A timer goes on with the time that it was started with.
  settle restart-reboots systemctl restart construct-reboot.timer
  keep_running construct-reboot.timer
}
