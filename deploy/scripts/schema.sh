#!/bin/bash
# construct-schema: what a new version of the services means for the database.
# They migrate it themselves when they start, one way only, and none starts on a
# schema that is newer than itself. So before they start, a version that is known
# to be older is refused, and before one that may be newer a dump is taken.
#
# All that it knows is on the data volume, beside the database that it is about:
# DATABASE-MIGRATION-TIME.dump, and history, tab-separated: time, who, "start" or
# "well", migration, images. "start": these were let at a database that had that
# migration. "well": this one was healthy with it, so it knows as many, and no more.
set -euo pipefail

lib=${CONSTRUCT_LIB:-/usr/local/lib/construct}
# shellcheck source=lib/common.sh
source "$lib/common.sh"
# shellcheck source=lib/state.sh
source "$lib/state.sh"
# shellcheck source=lib/dump.sh
source "$lib/dump.sh"

volume=$root/srv/construct
dir=$volume/schema
known_file=$dir/history
database=construct
ask_seconds=60
lock_seconds=900
# The exit code of a refusal, which trying again does not change.
refused_code=3

usage() {
  cat <<'TEXT'
usage: construct-schema COMMAND

  check SERVICE=IMAGE…     whether the database lets them start; exit code 3: no
  prepare SERVICE=IMAGE…   check, then a dump if one of them may migrate
  record SERVICE=IMAGE…    they are healthy: remember how many migrations they know
  status                   the database's migration, what is known, the dumps
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
  [ -n "$root" ] || [ "$EUID" = 0 ] || die "want root: sudo construct-schema $command"
  CONSTRUCT_WHO=${CONSTRUCT_WHO:-$(caller)}
  export CONSTRUCT_WHO
  case $command in
  check) check "$@" ;;
  prepare) prepare "$@" ;;
  record) with_lock "$lock_seconds" 'a note of what the versions know' "$0" record-locked "$@" ;;
  status) show ;;
  # Run by the commands above, never by hand. A process of its own: with_lock's
  # condition switches errexit off within functions.
  prepare-worker) with_lock "$lock_seconds" 'a dump before a migration' "$0" prepare-locked "$@" ;;
  prepare-locked) prepare_locked "$@" ;;
  record-locked) record_locked "$@" ;;
  *)
    usage >&2
    return 2
    ;;
  esac
}

check() {
  look "$@"
  refuse_older "$@"
  say "$(host_name): the database has migration $level; nothing is known against these versions"
}

prepare() {
  local id
  id=$(printf '%s\0' "$@" | sha256sum | cut -c 1-12)
  detached "construct-schema-$id" "$((lock_seconds + 2 * dump_seconds + 120))" "$0" prepare-worker "$@"
}

prepare_locked() {
  local new
  look "$@"
  refuse_older "$@"
  new=$(may_migrate "$@")
  if ((tables == 0)); then
    warn "$(host_name): the database is empty: nothing to dump"
  elif [ -z "$new" ]; then
    warn "$(host_name): these versions have been healthy with migration $level: they migrate nothing, no dump"
  else
    dump
  fi
  [ -z "$new" ] || note start "$level" "$new"
}

# record_locked: a healthy service has applied all that it knows, and would not
# have started on more. What is known of an image stays: references are not moved.
record_locked() {
  local pair known
  look "$@"
  for pair in "$@"; do
    known=$(known "${pair#*=}")
    if [ -z "$known" ]; then
      note well "$level" "${pair#*=}"
    elif ((known < level)); then
      warn "$(host_name): ${pair%%=*} runs on with ${pair#*=}, which knows migrations up to $known; the database has $level now: it could not start again (want a version that has it)"
    fi
  done
}

show() {
  look
  say "database $database, migration $level, tables of $((bytes / 1048576)) MB"
  [ ! -s "$known_file" ] || cat "$known_file"
  dumps | while read -r file; do say "dump $dir/$file $(stat -c %s "$dir/$file")"; done
}

# look SERVICE=IMAGE… judges the arguments and sets, of the database: postgres,
# its container; level, its highest migration, 0 for none; tables, how many there
# are beside that of the migrations; bytes, what they take without their indexes.
look() {
  local pair row migrations half=0
  for pair in "$@"; do
    [[ $pair =~ ^[a-z0-9-]+=[A-Za-z0-9./:@_-]+$ ]] || die "'$pair' (want SERVICE=IMAGE)"
  done
  mountpoint -q "$volume" || die 'the data volume is not mounted at /srv/construct: see systemctl status srv-construct.mount'
  install -d -m 0700 "$dir"
  postgres=$(docker ps --quiet --no-trunc --filter "label=com.docker.compose.project=$project" --filter 'label=com.docker.compose.service=postgres')
  [ -n "$postgres" ] || die 'PostgreSQL does not run, so what its schema is cannot be told: sudo construct-release status'
  row=$(sql "SELECT count(*), count(*) FILTER (WHERE c.relname = '_sqlx_migrations'), coalesce(sum(pg_table_size(c.oid)), 0)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'") ||
    die "the database $database could not be asked; said above"
  read -r tables migrations bytes <<<"$row"
  level=0 tables=$((tables - migrations))
  ((migrations > 0)) || return 0
  row=$(sql 'SELECT coalesce(max(version) FILTER (WHERE success), 0), coalesce(min(version) FILTER (WHERE NOT success), 0)
    FROM _sqlx_migrations') || die "the database's migrations could not be read; said above"
  read -r level half <<<"$row"
  ((half == 0)) ||
    die "migration $half is half done, and no version starts on it: finish or undo it by hand, then delete its row of _sqlx_migrations"
}

# sql QUERY prints rows, their fields separated by a space.
sql() {
  timeout "$ask_seconds" docker exec "$postgres" psql --no-psqlrc --quiet --no-align --tuples-only --field-separator ' ' \
    --set ON_ERROR_STOP=1 --username postgres --dbname "$database" --command "$1" </dev/null
}

# note KIND MIGRATION IMAGES
note() {
  (umask 077 && printf '%s\t%s\t%s\t%s\t%s\n' "$(date -u +%FT%TZ)" "$CONSTRUCT_WHO" "$1" "$2" "$3" >>"$known_file")
}

# known IMAGE prints how many migrations it knows; nothing if that is not known.
known() { awk -F '\t' -v image="$1" '$3 == "well" && $5 == image { print $4; exit }' "$known_file" 2>/dev/null || true; }

# may_migrate SERVICE=IMAGE… prints the images of which it is not known that they
# bring nothing new, on one line.
may_migrate() {
  local pair image new=()
  while read -r image; do
    [ "$(known "$image")" = "$level" ] || new+=("$image")
  done < <(for pair in "$@"; do say "${pair#*=}"; done | sort -u)
  say "${new[*]}"
}

# refuse_older SERVICE=IMAGE… ends the script if one of them would not start.
refuse_older() {
  local pair known oldest=''
  for pair in "$@"; do
    known=$(known "${pair#*=}")
    if [ -z "$known" ] || ((known >= level)); then continue; fi
    warn "$(host_name): ${pair%%=*}: ${pair#*=} knows migrations up to $known, the database has $level: it would not start (want a version that has migration $level)"
    [ -n "$oldest" ] && ((oldest < known)) || oldest=$known
  done
  [ -n "$oldest" ] || return 0
  why_newer "$oldest"
  exit "$refused_code"
}

# why_newer MIGRATION tells what came after it, and what the way back would be.
why_newer() {
  local row version='' at='' images='' before
  row=$(sql "SELECT version, to_char(installed_on AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')
    FROM _sqlx_migrations WHERE version > $1 ORDER BY version LIMIT 1") || row=''
  read -r version at <<<"$row"
  images=$(awk -F '\t' -v at="$at" '$3 == "start" && $1 <= at { images = $5 } END { print images }' "$known_file")
  before=$(dump_before "$1")
  warn "$(host_name): migration ${version:-?} came ${at:-at a time that could not be read} with ${images:-a version that is not known}; the dump from before it is ${before:-not here any more}"
  warn "$(host_name): nothing was started or stopped. Go forward, to a version that has it; or give up what was written since, and restore that dump by hand: docs/operations.md, \"Back past a migration\""
}

main "$@" </dev/null
exit
