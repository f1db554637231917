# shellcheck shell=bash
# units.sh writes all that systemd is to know, and has it read once: that takes
# a second or two of a small host, each time.

install_units() {
  local name text
  unit construct-dns.service restart-resolver <"$here/files/construct-dns.service"
  for name in construct-firewall.service construct-reboot.service \
    construct-metrics.service construct-metrics.timer construct-logs.service construct-logs.timer; do
    unit "$name" <"$here/files/$name"
  done
  text=$(cat "$here/files/construct-reboot.timer")
  # Without a window the timer is off, and nobody reads what it says.
  unit construct-reboot.timer restart-reboots <<<"${text//@WHEN@/"${reboot_at:-weekly}"}"
  unit auditd.service.d/60-construct.conf <"$here/files/auditd.conf"
  ((${#trust[@]} == 0)) || unit fail2ban.service.d/60-construct.conf restart-bans <"$here/files/fail2ban-unit.conf"
  if [ -n "$device" ]; then
    text=$(cat "$here/files/srv-construct.mount")
    unit srv-construct.mount <<<"${text//@DEVICE@/"$device"}"
    unit docker.service.d/60-construct-volume.conf <"$here/files/docker-volume.conf"
  elif [ -e "$systemd/docker.service.d/60-construct-volume.conf" ]; then
    owe daemon-reload
    rm "$systemd/docker.service.d/60-construct-volume.conf"
  fi
  settle daemon-reload systemctl daemon-reload
}

systemd=$root/etc/systemd/system

# unit FILE [WORK] writes stdin to a file of systemd's. Once systemd has read it,
# WORK is owed.
unit() {
  install -d -m 0755 "$(dirname "$systemd/$1")"
  install -d -m 0700 "$owed"
  replace "$systemd/$1" 0644 "$owed/daemon-reload" ${2:+"$owed/$2"} || true
}

# keep_running UNIT starts it now and at boot. Asking first is much faster than
# enabling what is enabled.
keep_running() {
  start_at_boot "$1"
  systemctl --quiet is-active "$1" || systemctl start "$1"
}

# start_at_boot UNIT: the next boot reads what was enabled, this one need not.
start_at_boot() { systemctl --quiet is-enabled "$1" 2>/dev/null || systemctl enable --quiet --no-reload "$1"; }

# keep_stopped UNIT stops it, now and at boot.
keep_stopped() {
  ! systemctl --quiet is-enabled "$1" 2>/dev/null || systemctl disable --quiet --no-reload "$1"
  ! systemctl --quiet is-active "$1" || systemctl stop "$1"
}
