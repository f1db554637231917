# shellcheck shell=bash
# shellcheck disable=SC2154 # postgres, database, dir, level, bytes are the caller's
# dump.sh takes, judges and keeps dumps of the database. A dump has its name only
# when it is whole.

# The longest that a dump may take, and again that reading it through may.
dump_seconds=3600
# So much of the volume stays free for PostgreSQL itself.
reserve_bytes=$((512 * 1024 * 1024))
keep_dumps=3

# dump writes $dir/DATABASE-MIGRATION-TIME.dump, for root only, or ends the script
# with nothing left behind.
dump() {
  local free room started=$SECONDS name
  rm -f "$dir"/.new.*
  free=$(df --output=avail --block-size=1 "$dir" | tail -n 1)
  room=$((free - reserve_bytes))
  ((room > 0 && bytes <= room)) || die "no dump, so nothing was started: it may take $(megabytes "$bytes"), and of the $(megabytes "$free") that are free at /srv/construct $(megabytes "$reserve_bytes") are PostgreSQL's (want a larger volume, construct:roles.db.volumeGb, or fewer of the dumps in $dir)"
  unfinished=$(mktemp "$dir/.new.XXXXXX") # not local: the trap comes after
  trap 'rm -f "$unfinished"' EXIT
  # Whatever the estimate is worth, it never takes what PostgreSQL needs.
  docker exec "$postgres" timeout "$dump_seconds" pg_dump --username postgres --dbname "$database" \
    --format custom --lock-wait-timeout 60s </dev/null | head -c "$room" >"$unfinished" ||
    die "no dump, so nothing was started: pg_dump failed after $((SECONDS - started)) s, with $(megabytes "$(stat -c %s "$unfinished")") written of the $(megabytes "$room") that it may take; what it said is above"
  judge_dump "$unfinished"
  sync "$unfinished"
  name=$database-$level-$(date -u +%Y%m%dT%H%M%SZ).dump
  mv -fT "$unfinished" "$dir/$name"
  sync "$dir"
  trap - EXIT
  warn "$(host_name): dumped the database as it is at migration $level: $dir/$name, $(megabytes "$(stat -c %s "$dir/$name")"), $((SECONDS - started)) s"
  rotate || warn "$(host_name): old dumps could not be removed"
}

megabytes() { say "$((($1 + 1048575) / 1048576)) MB"; }

# judge_dump FILE ends the script unless there is data in it, and all of it can be
# read: the list at its head is whole even where the rest is missing.
judge_dump() {
  local list
  if ! { list=$(docker exec --interactive "$postgres" pg_restore --list <"$1") && grep -q ' TABLE DATA ' <<<"$list" &&
    docker exec --interactive "$postgres" timeout "$dump_seconds" pg_restore --file /dev/null <"$1"; }; then
    die "no dump, so nothing was started: pg_dump ended well, but pg_restore cannot read what it wrote ($(stat -c %s "$1") bytes)"
  fi
}

# dumps prints the names of the dumps, newest first.
dumps() { find "$dir" -maxdepth 1 -type f -name "$database-*-*.dump" -printf '%f\n' | sort -t - -k 3,3 -r; }

level_of() {
  local level=${1#"$database"-}
  say "${level%%-*}"
}

# dump_before MIGRATION prints the newest dump from before anything that came
# after it.
dump_before() {
  local file
  while read -r file; do
    (($(level_of "$file") > $1)) || { say "$dir/$file" && return; }
  done < <(dumps)
}

# rotate keeps the last dumps, and the last from before the last migration: an up
# that is tried again and again takes one each time.
rotate() {
  local file kept=0 before
  before=$(dump_before "$((level - 1))")
  while read -r file; do
    kept=$((kept + 1))
    ((kept <= keep_dumps)) || [ "$dir/$file" = "$before" ] || rm -f "$dir/$file"
  done < <(dumps)
}
