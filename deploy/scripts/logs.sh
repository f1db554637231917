#!/bin/bash
# logs.sh shows the log agent what it is to read, and nothing else: hard links to
# the log files of the fleet's containers at HOST/SERVICE/INODE.log, and what the
# journal says of logins at HOST/host/DATE.log, with a line a minute that shows
# that lines arrive. A link names one file for good, however Docker rotates.
# Started every 20 seconds by construct-logs.timer; does nothing where the
# current release has no agent.
set -euo pipefail

lib=${CONSTRUCT_LIB:-/usr/local/lib/construct}
# shellcheck source=lib/common.sh
source "$lib/common.sh"
# shellcheck source=lib/state.sh
source "$lib/state.sh"

dir=$root/var/lib/docker/construct-logs
agent=log-agent
# Minutes for which a file that Docker has deleted can still be read.
deleted_minutes=10
logins=(SYSLOG_IDENTIFIER=sshd + SYSLOG_IDENTIFIER=sshd-session + SYSLOG_IDENTIFIER=sudo + _SYSTEMD_UNIT=fail2ban.service)

main() {
  [ -d "$dir" ] || return 0
  if ! agent_runs_here; then
    find "$dir" -mindepth 1 -delete
    return 0
  fi
  here=$dir/$(host_name)
  group=$(stat -c %g "$dir")
  make_dir "$here"
  link_files
  find "$here" -mindepth 2 -type f -links 1 -cmin "+$deleted_minutes" ! -path "$here/host/*" -delete
  host_lines
}

agent_runs_here() {
  local digest
  digest=$(current_digest) && [ -n "$(manifest "$digest" "service $agent")" ]
}

# make_dir DIRECTORY is the agent's to read.
make_dir() { install -d -m 0750 -g "$group" "$1"; }

# link_files leaves out the agent's own log: a line about a line that could not
# be sent is one more to send.
link_files() {
  local service path file
  while read -r service path; do
    if [ -z "$path" ] || [ "$service" = "$agent" ]; then continue; fi
    for file in "$root$path" "$root$path".[0-9]*; do
      [ ! -f "$file" ] || link_file "$service" "$file"
    done
  done < <(log_paths)
}

# log_paths prints one line per container of the fleet: service, log file.
log_paths() {
  local ids
  mapfile -t ids < <(docker ps --all --quiet --no-trunc --filter "label=com.docker.compose.project=$project")
  ((${#ids[@]} > 0)) || return 0
  # One of them may be gone by now.
  docker inspect --format '{{index .Config.Labels "com.docker.compose.service"}} {{.LogPath}}' "${ids[@]}" 2>/dev/null || true
}

# link_file SERVICE FILE. Docker rotates meanwhile: what is gone is linked next
# time, by its next name.
link_file() {
  local inode link
  inode=$(stat -c %i "$2" 2>/dev/null) || return 0
  link=$here/$1/$inode.log
  [ ! -e "$link" ] || return 0
  make_dir "$here/$1"
  ln -T "$2" "$link" || return 0
  chgrp "$group" "$link"
  chmod 0640 "$link"
}

# host_lines appends what is new in the journal: seconds, host, who, what.
host_lines() {
  local file since=() cursor=$state/log-agent.cursor
  file=$here/host/$(date -u +%F).log
  make_dir "$here/host"
  [ -e "$file" ] || install -m 0640 -g "$group" /dev/null "$file"
  [ -e "$cursor" ] || since=(--since=-10min)
  [ -n "$(find "$file" -size +0 -mmin -1)" ] ||
    printf '%s %s construct-logs: the log agent is shown %d files\n' "$(date +%s.%6N)" "$(host_name)" \
      "$(find "$here" -name '*.log' | wc -l)" >>"$file"
  journalctl --quiet --no-pager --output=short-unix --cursor-file="$cursor" "${since[@]}" "${logins[@]}" >>"$file"
  find "$here/host" -name '*.log' -mtime +1 -delete
}

main "$@" </dev/null
