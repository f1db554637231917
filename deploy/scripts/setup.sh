#!/bin/bash
# setup.sh --name NAME --docker-pool CIDR --mtu N --swap-mb N [--device PATH]
#   --admin USER --ssh-port N [--forward HOST:PORT]… [--trust CIDR]… [--reboot-at CALENDAR]
#
# --forward is what sshd passes connections on to. --trust, on hosts that answer
# strangers' SSH, is who is never banned. --reboot-at is a systemd calendar
# expression; without one the host never reboots by itself.
#
# Makes a booted Debian host what every release expects. Run from the
# directory that it was unpacked into, as often as one likes: what is already
# so is left alone, what is installed is not upgraded, and without anything
# missing no package server is asked.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/common.sh
source "$here/lib/common.sh"
# shellcheck source=setup/packages.sh
source "$here/setup/packages.sh"
# shellcheck source=setup/owed.sh
source "$here/setup/owed.sh"
# shellcheck source=setup/units.sh
source "$here/setup/units.sh"
# shellcheck source=setup/system.sh
source "$here/setup/system.sh"
# shellcheck source=setup/ssh.sh
source "$here/setup/ssh.sh"
# shellcheck source=setup/hardening.sh
source "$here/setup/hardening.sh"
# shellcheck source=setup/hardening-bans.sh
source "$here/setup/hardening-bans.sh"
# shellcheck source=setup/hardening-reboots.sh
source "$here/setup/hardening-reboots.sh"
# shellcheck source=setup/volume.sh
source "$here/setup/volume.sh"
# shellcheck source=setup/docker.sh
source "$here/setup/docker.sh"

# work is all of set-up, in an order in which each step finds what it needs.
work() {
  step 'packages' install_packages
  step 'scripts' install_scripts
  step 'units' install_units
  step 'system' tune_system
  step 'ssh' configure_ssh
  step 'hardening' harden_host
  step 'bans' ban_intruders
  step 'reboots' plan_reboots
  step 'swap' make_swap
  step 'resolver' start_resolver
  step 'firewall' prepare_firewall
  [ -z "$device" ] || step 'volume' mount_volume
  step 'docker' configure_docker
  step 'metrics' start_metrics
  step 'logs' start_logs
}

# step NAME COMMAND tells, on failure, which part of set-up it was.
step() {
  local started=$SECONDS
  # Not "if ! step": a condition would switch errexit off inside.
  current_step=$1
  "$2"
  say "$1: $((SECONDS - started)) s"
}

install_scripts() {
  install -d -m 0755 "$etc" "$state" "$state/config" "$root/usr/local/lib/construct" "$root/usr/local/sbin"
  install -d -m 0700 "$state/releases" "$state/incoming"
  replace "$etc/name" 0644 <<<"$name" || true
  [ -e "$etc/hosts" ] || : >"$etc/hosts"
  replace_all "$root/usr/local/lib/construct" 0755 "$here"/lib/*
  replace "$root/usr/local/sbin/construct-release" 0755 <"$here/release.sh" || true
  replace "$root/usr/local/sbin/construct-firewall" 0755 <"$here/firewall.sh" || true
  replace "$root/usr/local/sbin/construct-access" 0755 <"$here/access.sh" || true
  replace "$root/usr/local/sbin/construct-reboot" 0755 <"$here/reboot.sh" || true
  replace "$root/usr/local/sbin/construct-schema" 0755 <"$here/schema.sh" || true
}

# replace_all DIRECTORY MODE FILE… puts files there, each atomically: whoever runs
# one of them goes on with the one that he has read.
replace_all() {
  local new
  new=$(mktemp -d "$1/.new.XXXXXX")
  install -m "$2" -t "$new" "${@:3}"
  mv -f -t "$1" "$new"/*
  rmdir "$new"
}

parse() {
  name='' device='' pool='' mtu='' swap_mb=0 admin='' ssh_port=22 reboot_at='' forward=() trust=()
  while (($# > 0)); do
    case $1 in
    --name) name=$2 ;;
    --device) device=$2 ;;
    --docker-pool) pool=$2 ;;
    --mtu) mtu=$2 ;;
    --swap-mb) swap_mb=$2 ;;
    --admin) admin=$2 ;;
    --ssh-port) ssh_port=$2 ;;
    --forward) forward+=("$2") ;;
    --trust) trust+=("$2") ;;
    --reboot-at) reboot_at=$2 ;;
    *) die "setup.sh: unknown argument '$1'" ;;
    esac
    shift 2
  done
}

main() {
  CONSTRUCT_WHO=${CONSTRUCT_WHO:-$(caller)}
  export CONSTRUCT_WHO
  case ${1:-} in
  work)
    shift
    parse "$@"
    trap '[ $? = 0 ] || warn "$name: set-up failed at step: ${current_step:-start}"' EXIT
    work
    ;;
  locked)
    shift
    with_lock 900 'set-up' bash "$here/setup.sh" work "$@"
    ;;
  *)
    parse "$@"
    start "$@"
    ;;
  esac
}

# start hands over to a unit, which runs from a directory that outlives the
# connection and is the same for the same scripts and arguments.
start() {
  local version
  version=$( (printf '%s\0' "$@" && cd "$here" && find . -type f | LC_ALL=C sort | xargs cat) | sha256sum | cut -c 1-12)
  install -d -m 0700 "$run"
  if [ -d "$run/scripts-$version" ]; then
    rm -rf "$here"
  else
    mv -T "$here" "$run/scripts-$version"
  fi
  detached "construct-setup-$version" 1800 bash "$run/scripts-$version/setup.sh" locked "$@"
}

main "$@" </dev/null
exit
