# shellcheck shell=bash
# stores.sh remembers for how long what keeps data was away when a release made
# it anew. It is not rolled: two of a kind cannot share their files. One line in
# $interruptions for each service: name, seconds, when.

# stores_anew EARLIER DIGEST prints the services with data that both releases
# have, the second with another image or configuration.
stores_anew() {
  [ -n "$1" ] || return 0
  comm -13 <(stores_of "$1") <(stores_of "$2") | cut -d ' ' -f 1 |
    grep -x -F -f <(stores_of "$1" | cut -d ' ' -f 1) || true
}

stores_of() { manifest "$1" restart | sort; }

# note_interruptions SECONDS SERVICE… writes down that they were away for so long
# at most: from the start of the change until all of the release was healthy.
note_interruptions() {
  local seconds=$1 service
  shift
  for service in "$@"; do
    say "$service on $(host_name) was made anew; all was healthy again within $seconds s"
    {
      [ ! -e "$interruptions" ] || grep -v "^$service " "$interruptions" || true
      say "$service $seconds $(date -u +%FT%TZ)"
    } >"$interruptions.new" && mv -f "$interruptions.new" "$interruptions" || return 1
  done
}
