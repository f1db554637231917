#!/usr/bin/env bash
# Stands in for the official postgres image's docker-entrypoint.sh: same
# variables, same order of events. The server underneath is PostgreSQL 15.
set -Eeuo pipefail

say() { printf 'stand-in postgres: %s\n' "$*" >&2; }

# file_env VAR: takes the value from the file named by VAR_FILE.
file_env() {
	local var="$1" file="$1_FILE"
	if [ -n "${!var:-}" ] && [ -n "${!file:-}" ]; then
		say "both $var and $file are set (want one)"
		exit 1
	fi
	if [ -n "${!file:-}" ]; then
		export "$var"="$(<"${!file}")"
	fi
	unset "$file"
}

# without_16 FILE: prints the path of a copy of FILE without the settings
# that PostgreSQL 15 does not know, or FILE itself if there are none.
readonly only_16='reserved_connections|createrole_self_grant|debug_io_direct|debug_parallel_query|debug_logical_replication_streaming|gss_accept_delegation|icu_validation_level|scram_iterations|send_abort_for_crash|send_abort_for_kill|vacuum_buffer_usage_limit'
without_16() {
	if ! grep -qE "^[[:space:]]*($only_16)[[:space:]=]" "$1"; then
		printf '%s' "$1"
		return
	fi
	local copy
	copy="/run/postgresql/$(basename "$1").for-15"
	grep -vE "^[[:space:]]*($only_16)[[:space:]=]" "$1" >"$copy"
	say "left out of $1, for PostgreSQL 15: $(grep -oE "^[[:space:]]*($only_16)" "$1" | tr -s '\n\t ' ' ')"
	printf '%s' "$copy"
}

prepare_directories() {
	mkdir -p "$PGDATA" /run/postgresql
	chmod 0700 "$PGDATA" || :
	if [ "$(id -u)" = 0 ]; then
		find "$PGDATA" ! -user postgres -exec chown postgres '{}' +
		chown postgres:postgres /run/postgresql
	fi
}

initialise() {
	file_env POSTGRES_PASSWORD
	file_env POSTGRES_USER
	file_env POSTGRES_DB
	file_env POSTGRES_INITDB_ARGS
	local user="${POSTGRES_USER:-postgres}"
	local db="${POSTGRES_DB:-$user}"
	if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
		say "the database is uninitialised and no superuser password is given (want POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE)"
		exit 1
	fi
	eval "initdb --username=\"\$user\" --pwfile=<(printf '%s\n' \"\${POSTGRES_PASSWORD:-}\") ${POSTGRES_INITDB_WALDIR:+--waldir=\"\$POSTGRES_INITDB_WALDIR\"} ${POSTGRES_INITDB_ARGS:-}"
	printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"

	# For the scripts only: a server without a network listener.
	PGUSER="$user" pg_ctl -D "$PGDATA" -w start -o "$(printf '%q ' "${@:2}" -c listen_addresses= -p 5432)"
	export PGPASSWORD="${POSTGRES_PASSWORD:-}"
	local run=(psql -v ON_ERROR_STOP=1 --no-password --no-psqlrc --username "$user")
	if [ "$db" != postgres ]; then
		"${run[@]}" --dbname postgres --set db="$db" <<<'CREATE DATABASE :"db";'
	fi
	local f
	for f in /docker-entrypoint-initdb.d/*; do
		case "$f" in
		*.sh)
			if [ -x "$f" ]; then
				"$f"
			else
				# shellcheck source=/dev/null
				. "$f"
			fi
			;;
		*.sql) "${run[@]}" --dbname "$db" -f "$f" ;;
		*.sql.gz) gunzip -c "$f" | "${run[@]}" --dbname "$db" ;;
		*) [ ! -e "$f" ] || say "ignoring $f" ;;
		esac
	done
	unset PGPASSWORD
	pg_ctl -D "$PGDATA" -m fast -w stop
	say 'initialised; ready for start-up'
}

if [ "${1:0:1}" = - ]; then
	set -- postgres "$@"
fi
if [ "$1" = postgres ]; then
	prepare_directories
	if [ "$(id -u)" = 0 ]; then
		exec gosu postgres "${BASH_SOURCE[0]}" "$@"
	fi
	args=()
	for a in "$@"; do
		case "$a" in
		config_file=*) a="config_file=$(without_16 "${a#config_file=}")" ;;
		--config[-_]file=*) a="--config_file=$(without_16 "${a#*=}")" ;;
		esac
		args+=("$a")
	done
	set -- "${args[@]}"
	if [ ! -s "$PGDATA/PG_VERSION" ]; then
		initialise "$@"
	else
		say 'the data directory holds a database; skipping initialisation'
	fi
fi
exec "$@"
