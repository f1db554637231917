# shellcheck shell=bash
# apply.sh replaces one release by another: start, wait, and go back if the
# new one does not live.

# parse_options sets health_timeout, soak, lock_wait, commit, migrates, digest from
# arguments.
parse_options() {
  health_timeout=180 soak=60 lock_wait=900 commit='' migrates='' digest=''
  while (($# > 0)); do
    case $1 in
    --health-timeout) health_timeout=$2 && shift 2 ;;
    --soak) soak=$2 && shift 2 ;;
    --lock-wait) lock_wait=$2 && shift 2 ;;
    --commit) commit=$2 && shift 2 ;;
    --migrates) migrates=yes && shift ;;
    -*) die "unknown option '$1'" ;;
    *) digest=$1 && shift ;;
    esac
  done
  [[ $digest =~ ^[0-9a-f]*$ ]] || die "'$digest' is not a digest"
}

# apply DIGEST … with the bundle on stdin.
apply() {
  local health_timeout soak lock_wait commit migrates digest file
  parse_options "$@"
  [ -n "$digest" ] || die 'apply: which digest?'
  file=$(umask 077 && mktemp "$state/incoming/$digest.XXXXXX")
  receive "$digest" "$file"
  local code=0
  detached "construct-apply-$digest" "$(unit_seconds)" "$0" apply-worker "$file" "$@" || code=$?
  rm -f "$file"
  return "$code"
}

# unit_seconds is twice what a change may take, once for the release and once for
# the way back, and some. Three times something may have to end what it has begun:
# what a stand-in takes over from, the stand-in, and what is rolled.
unit_seconds() { say "$((lock_wait + 2 * (4 * health_timeout + 2 * soak + 2 * compose_seconds + 3 * drain_seconds) + 120))"; }

apply_worker() {
  local health_timeout soak lock_wait commit migrates digest
  parse_options "${@:2}"
  # A process of its own: with_lock's condition switches errexit off within
  # functions.
  with_lock "$lock_wait" "release $digest" "$0" apply-locked "$@"
}

apply_locked() {
  local file=$1
  shift
  parse_options "$@"
  trap 'record apply "$digest" "$commit" failed' EXIT
  unpack "$digest" "$file"
  prepare "$digest"
  trap - EXIT
  change_to apply
}

# rollback [DIGEST] … to a release that is still here.
rollback() {
  local health_timeout soak lock_wait commit migrates digest
  parse_options "$@"
  detached "construct-rollback-${digest:-previous}" "$(unit_seconds)" "$0" rollback-worker "$@"
}

rollback_worker() {
  local health_timeout soak lock_wait commit migrates digest
  parse_options "$@"
  with_lock "$lock_wait" "rollback to ${digest:-the release before}" "$0" rollback-locked "$@"
}

# What is gone back to has lived before.
rollback_locked() {
  parse_options --soak 0 "$@"
  choose_target
  commit=$(commit_of "$digest")
  prepare "$digest"
  change_to rollback
}

# choose_target sets digest to what a rollback goes back to.
choose_target() {
  [ -n "$digest" ] || digest=$(previous_release "$(current_digest)") || true
  [ -n "$digest" ] || die "rollback: there is no earlier release on this host; here are: $(good_releases | tr '\n' ' ')"
  [ -d "$releases/$digest" ] || die "rollback: release $digest is not on this host; here are: $(good_releases | tr '\n' ' ')"
}

# target [DIGEST] prints what rollback would go back to: the release, its services.
target() {
  local health_timeout soak lock_wait commit migrates digest
  parse_options "$@"
  choose_target
  say "release $digest"
  manifest "$digest" service | sed 's/^/service /'
}

# change_to ACTION starts $digest and makes it current once it is healthy.
change_to() {
  local action=$1 earlier reason unwell='' began anew
  local -A restarts_before=()
  earlier=$(current_digest) || earlier=''
  note_restarts
  mapfile -t anew < <(stores_anew "$earlier" "$digest")
  began=$SECONDS
  if run_release "$digest"; then
    set_current "$digest"
    note_interruptions "$((SECONDS - began))" "${anew[@]}" || warn "$(host_name): how long ${anew[*]} was away could not be written down"
    note_started "$digest" || warn "$(host_name): what release $digest runs could not be written down"
    record "$action" "$digest" "$commit" ok
    say "release $digest is healthy on $(host_name)"
    # What runs is healthy, whatever becomes of the old.
    [ "$action" != apply ] || prune_releases || warn "$(host_name): old releases could not be removed"
    return 0
  fi
  # From here on nothing may keep the earlier release from coming back.
  set +e
  [ -n "$unwell" ] || judge_now "$digest"
  record "$action" "$digest" "$commit" failed
  reason=$(head -n 1 <<<"$unwell")
  warn "$(host_name): release $digest failed: ${reason:-docker compose could not start it}"
  report "$digest" "$unwell"
  go_back "$earlier"
  [ -z "$migrates" ] || warn "$(host_name): before it failed it may have migrated the database. If it has, what runs serves on, but could not start again, after a reboot, say: construct exec db-1 -- sudo construct-schema status, and docs/operations.md, \"A release failed that has migrated\""
  return 1
}

# run_release DIGEST returns when the release runs, healthy and with its own
# configuration, or fails with the reasons in unwell.
run_release() {
  switch_live "$1" && start_release "$1" && wait_healthy "$1" "$health_timeout" && reload_live "$1"
}

# judge_now DIGEST sets unwell when docker compose failed before any wait.
judge_now() {
  local services hopeless
  local -A unhealthy_since=()
  mapfile -t services < <(manifest "$1" service | cut -d ' ' -f 1)
  judge_all "${services[@]}"
}

# go_back DIGEST puts the earlier release back and says in what state the host
# is left.
go_back() {
  local earlier=$1 unwell='' soak=0
  note_restarts
  if [ -z "$earlier" ] || [ ! -d "$releases/$earlier" ]; then
    warn "$(host_name): there is no earlier release; release $digest is left as it is"
  elif [ "$earlier" = "$digest" ]; then
    warn "$(host_name): release $digest was the running one; it is left as it is"
  elif run_release "$earlier"; then
    record restore "$earlier" "$(commit_of "$earlier")" ok
    warn "$(host_name): the earlier release $earlier runs again, healthy"
  else
    record restore "$earlier" "$(commit_of "$earlier")" failed
    [ -n "$unwell" ] || judge_now "$earlier"
    report "$earlier" "$unwell"
    warn "$(host_name): the earlier release $earlier was started again, but is not healthy: $(tr '\n' ';' <<<"$unwell")"
  fi
}
