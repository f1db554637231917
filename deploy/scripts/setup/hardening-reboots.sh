# shellcheck shell=bash
# hardening-reboots.sh: this host's window for reboots.

plan_reboots() {
  local changed=0 text dir=/etc/systemd/system
  text=$(cat "$here/files/construct-reboot.timer")
  # Without a window the timer is off, and nobody reads what it says.
  replace "$dir/construct-reboot.timer" 0644 <<<"${text//@WHEN@/"${reboot_at:-weekly}"}" && changed=1
  replace "$dir/construct-reboot.service" 0644 <"$here/files/construct-reboot.service" && changed=1
  ((changed == 0)) || systemctl daemon-reload
  if [ -z "$reboot_at" ]; then
    systemctl disable --quiet --now construct-reboot.timer
    return 0
  fi
  # A timer goes on with the time that it was started with.
  ((changed == 0)) || systemctl restart construct-reboot.timer
  keep_running construct-reboot.timer
}
