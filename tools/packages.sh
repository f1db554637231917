#!/usr/bin/env bash
# Installs the Debian packages that tests and the simulator need, where that is
# possible, and says what is missing where it is not.
set -euo pipefail

say() { printf 'packages: %s\n' "$*" >&2; }

# command → package
declare -A wanted=(
  [mmdebstrap]=mmdebstrap
  [shellcheck]=shellcheck
  [redis-server]=redis-server
  [promtool]=prometheus
  [amtool]=prometheus-alertmanager
  [prometheus-blackbox-exporter]=prometheus-blackbox-exporter
  [ssh-keygen]=openssh-client
  [nft]=nftables
  [fail2ban-regex]=fail2ban
  [haproxy]=haproxy
)

missing=()
while read -r command; do
  command -v "$command" >/dev/null 2>&1 || missing+=("${wanted[$command]}")
done < <(printf '%s\n' "${!wanted[@]}" | sort)

# PostgreSQL's server programs are not on PATH in Debian.
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing+=(postgresql)
# Nor is sshd on everybody's.
[ -e /usr/sbin/sshd ] || missing+=(openssh-server)
# Other distributions than Debian do not have its keys.
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing+=(debian-archive-keyring)

[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
  say "not installed: ${missing[*]}. Tests that need them are skipped and counted."
  say "on Debian or Ubuntu: sudo apt-get install ${missing[*]}"
  exit 0
fi
say "installing ${missing[*]}"
# Only the programs are wanted: no service may be started by the installation.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
