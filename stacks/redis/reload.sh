#!/bin/bash
# Gives the running server the users of users.acl, one by one, since ACL LOAD may
# cut every connection. Replaced passwords stay good beside the new ones for an
# hour, until the services on other servers have these; with "forget" they end.
# A start knows the new ones alone. A copy is told the password by which it
# follows; its connection to the primary stays.
set -euo pipefail
dir=/etc/redis/current
mark=/tmp/construct-replaced

admin() { bash "$dir/admin.sh" "$@"; }
hashes() { grep -o '#[0-9a-f]\{64\}' || true; }

now=$(admin ACL LIST)
replaced=''
commands=$(
	while read -r _ name rules; do
		has=$(grep "^user $name " <<<"$now" | hashes || true)
		old=$(grep -v -x -F "$(hashes <<<"$rules")" <<<"$has" || true)
		[ "${1:-}" != forget ] || old=''
		printf 'ACL SETUSER %s reset %s %s\n' "$name" "$rules" "$(tr '\n' ' ' <<<"$old")"
	done <"$dir/users.acl"
	# Who is no longer named.
	cut -d ' ' -f 2 <<<"$now" | grep -v -x -F "$(cut -d ' ' -f 2 "$dir/users.acl")" | sed 's/^/ACL DELUSER /' || true
)
for hash in $(hashes <"$dir/users.acl"); do
	grep -q -F "$hash" <<<"$now" || replaced=yes
done

[ ! -e "$dir/primary.conf" ] || commands+=$'\n'"CONFIG SET $(cat "$dir/primary.conf")"
answers=$(admin <<<"$commands")
if grep -q -v -x -E 'OK|[0-9]+' <<<"$answers"; then
	echo "users.acl: $answers" >&2
	exit 1
fi
[ "${1:-}" != forget ] || rm -f "$mark"
[ -z "$replaced" ] || : >"$mark"
