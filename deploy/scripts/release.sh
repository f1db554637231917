#!/bin/bash
# construct-release: what runs on this host, and how it changes.
set -euo pipefail

lib=${CONSTRUCT_LIB:-/usr/local/lib/construct}
# shellcheck source=lib/common.sh
source "$lib/common.sh"
# shellcheck source=lib/state.sh
source "$lib/state.sh"
# shellcheck source=lib/pull.sh
source "$lib/pull.sh"
# shellcheck source=lib/bundle.sh
source "$lib/bundle.sh"
# shellcheck source=lib/live.sh
source "$lib/live.sh"
# shellcheck source=lib/health.sh
source "$lib/health.sh"
# shellcheck source=lib/slots.sh
source "$lib/slots.sh"
# shellcheck source=lib/roll.sh
source "$lib/roll.sh"
# shellcheck source=lib/standin.sh
source "$lib/standin.sh"
# shellcheck source=lib/stores.sh
source "$lib/stores.sh"
# shellcheck source=lib/report.sh
source "$lib/report.sh"
# shellcheck source=lib/apply.sh
source "$lib/apply.sh"
# shellcheck source=lib/prune.sh
source "$lib/prune.sh"
# shellcheck source=lib/status.sh
source "$lib/status.sh"

usage() {
  cat <<'TEXT'
usage: construct-release COMMAND

  apply DIGEST [--health-timeout S] [--soak S] [--lock-wait S] [--commit C] [--migrates]
                                                                   start the bundle on stdin
  rollback [DIGEST] [--health-timeout S] [--lock-wait S]           back to a kept release; default the one before,
                                                                   again the one before that
  target [DIGEST]  what rollback would go back to
  pull [--timeout S] -- IMAGE…                                     fetch images; "login" lines on stdin
  status       what should run and what does
  facts        the same in full, for programs: construct status
  current      the digest of the running release
  history      who released what, when, from which commit
  logs SERVICE [DOCKER-LOGS-OPTIONS]
  prune        remove what no kept release needs
TEXT
}

main() {
  local command=${1:-}
  [ $# = 0 ] || shift
  case $command in
  help | --help | -h)
    usage
    return
    ;;
  esac
  # Without root half of it works, and what does not looks like missing.
  [ -n "$root" ] || [ "$EUID" = 0 ] || die "want root: sudo construct-release $command"
  # At once: when the connection is cut, sshd forgets who it was.
  CONSTRUCT_WHO=${CONSTRUCT_WHO:-$(caller)}
  export CONSTRUCT_WHO
  case $command in
  apply) apply "$@" ;;
  rollback) rollback "$@" ;;
  target) target "$@" ;;
  pull) pull "$@" ;;
  status) status ;;
  facts) facts ;;
  current) current_digest ;;
  history) cat "$state/history" 2>/dev/null || true ;;
  logs) service_logs "$@" ;;
  prune) with_lock 900 prune prune_releases ;;
  # Run by the commands above, never by hand.
  apply-worker) apply_worker "$@" ;;
  apply-locked) apply_locked "$@" ;;
  rollback-worker) rollback_worker "$@" ;;
  rollback-locked) rollback_locked "$@" ;;
  pull-worker) pull_worker "$@" ;;
  *)
    usage >&2
    return 2
    ;;
  esac
}

main "$@"
exit
