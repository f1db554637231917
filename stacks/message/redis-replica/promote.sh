#!/bin/bash
# Makes this copy a server of its own, which takes writes and keeps them: for when
# the primary's data is lost, and before an empty primary starts, which the copy
# would follow.
set -euo pipefail
admin() { bash /etc/redis/current/admin.sh "$@"; }

# expect COMMAND… fails with what was answered, if that is not OK.
expect() {
	local answer
	answer=$(admin "$@")
	[ "$answer" = OK ] || { echo "$*: $answer" >&2 && exit 1; }
}

# is FIELD VALUE asks the state of persistence.
is() { admin INFO persistence | tr -d '\r' | grep -x -F "$1:$2" >/dev/null; }

expect REPLICAOF NO ONE
expect CONFIG SET appendonly yes
until is aof_rewrite_in_progress 0 && is aof_rewrite_scheduled 0; do sleep 0.2; done
is aof_last_bgrewrite_status ok || { echo 'the append-only file could not be written; docker logs says why' >&2 && exit 1; }
: >/data/promoted
echo "promoted: $(admin DBSIZE) keys"
