#!/bin/bash
# metrics.sh writes what node-exporter cannot know by itself, for its textfile
# collector: whether the host needs a reboot, how its services are, and on the
# database's when it was last backed up. Started every minute by
# construct-metrics.timer; does nothing where no node-exporter runs, since then
# nobody reads it.
set -euo pipefail

root=${CONSTRUCT_ROOT:-}
dir=$root/var/lib/construct/metrics
lib=${CONSTRUCT_LIB:-/usr/local/lib/construct}
# shellcheck source=lib/reboot-needed.sh
source "$lib/reboot-needed.sh"

main() {
  local new status
  [ -n "$(docker ps --quiet --filter label=com.docker.compose.service=node-exporter)" ] || return 0
  install -d -m 0755 "$dir"
  new=$(mktemp "$dir/.new.XXXXXX")
  # shellcheck disable=SC2064 # the path of now
  trap "rm -f '$new'" EXIT
  status=$("${CONSTRUCT_RELEASE:-/usr/local/sbin/construct-release}" status)
  { upgrade_metrics && service_metrics && backup_metrics; } >"$new"
  chmod 0644 "$new"
  mv -f "$new" "$dir/host.prom"
}

# upgrade_metrics: whether upgrades wait for a reboot, and when unattended ones
# last ran to their end; 0 if they never did.
upgrade_metrics() {
  local required=0 stamp=$root/var/lib/apt/periodic/unattended-upgrades-stamp
  [ -z "$(reboot_reason)" ] || required=1
  printf '# TYPE node_reboot_required gauge\nnode_reboot_required %d\n' "$required"
  printf '# TYPE construct_upgrades_success_time_seconds gauge\nconstruct_upgrades_success_time_seconds %d\n' \
    "$(stat -c %Y "$stamp" 2>/dev/null || echo 0)"
}

# service_metrics is made of status' lines of "service NAME STATE HEALTH RESTARTS …", one for
# each service that should run, whether it has a container or not.
service_metrics() {
  awk '
    $1 != "service" { next }
    { healthy[$2] = $3 == "running" && ($4 == "healthy" || $4 == "none") }
    $5 ~ /^[0-9]+$/ { restarts[$2] = $5 }
    END {
      print "# TYPE construct_service_healthy gauge"
      for (name in healthy) printf "construct_service_healthy{name=\"%s\"} %d\n", name, healthy[name]
      print "# TYPE construct_service_restarts_total counter"
      for (name in restarts) printf "construct_service_restarts_total{name=\"%s\"} %d\n", name, restarts[name]
    }' <<<"$status"
}

# backup_metrics, where PostgreSQL should run: when the marker was last touched;
# 0 if it never was. Whatever makes backups touches it after each that is whole
# and away from this host. Backups are not built in yet.
backup_metrics() {
  local marker=$root/var/lib/construct/backup-success
  grep -q '^service postgres ' <<<"$status" || return 0
  printf '# TYPE construct_backup_success_time_seconds gauge\nconstruct_backup_success_time_seconds %d\n' \
    "$(stat -c %Y "$marker" 2>/dev/null || echo 0)"
}

main "$@" </dev/null
