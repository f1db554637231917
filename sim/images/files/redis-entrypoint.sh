#!/bin/sh
# Stands in for the official redis image's docker-entrypoint.sh. The server
# underneath is Redis 7.0: directives that came with 7.2 are left out of a
# copy of the configuration, and said.
set -eu

only_72='locale-collate|set-max-listpack-entries|set-max-listpack-value'

if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then
	set -- redis-server "$@"
fi
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
	find . ! -user redis -exec chown redis '{}' +
	exec gosu redis "$0" "$@"
fi
if [ "$(umask)" = 0022 ]; then
	umask 0077
fi
if [ "$1" = redis-server ] && [ -n "${2:-}" ] && [ -f "$2" ] && grep -qE "^[[:space:]]*($only_72)[[:space:]]" "$2"; then
	conf="/tmp/redis-7.0.conf"
	grep -vE "^[[:space:]]*($only_72)[[:space:]]" "$2" >"$conf"
	echo "stand-in redis: left out of $2, for Redis 7.0: $(grep -oE "^[[:space:]]*($only_72)" "$2" | tr '\n' ' ')" >&2
	shift 2
	set -- redis-server "$conf" "$@"
fi
exec "$@"
