#!/bin/bash
# Takes what changed of pg_hba.conf, certificate and roles, with every connection
# kept. A changed postgresql.conf is a new container.
set -euo pipefail

sql() { psql --no-psqlrc --quiet --no-align --tuples-only --set ON_ERROR_STOP=1 --username postgres --dbname postgres --command "$1"; }

before=$(sql 'SELECT pg_conf_load_time()')
sql 'SELECT pg_reload_conf()' >/dev/null
for _ in {1..100}; do
	[ "$(sql 'SELECT pg_conf_load_time()')" = "$before" ] || break
	sleep 0.1
done
refused=$(sql 'SELECT line_number, error FROM pg_hba_file_rules WHERE error IS NOT NULL')
[ -z "$refused" ] || { echo "pg_hba.conf: $refused" >&2 && exit 1; }
exec bash /etc/postgresql/current/health.sh
