#!/bin/bash
# network.sh --private ADDR --public ADDR --mtu N --peer NAME=ADDR …
#
# Tells the host its own addresses and its peers' names. Files are written
# only when they differ, so that a second run disturbs nobody.
set -euo pipefail

export LC_ALL=C
root=${CONSTRUCT_ROOT:-}
etc=$root/etc/construct

main() {
  local private='' public='' mtu=1500 peers=()
  while (($# > 0)); do
    case $1 in
    --private) private=$2 ;;
    --public) public=$2 ;;
    --mtu) mtu=$2 ;;
    --peer) peers+=("$2") ;;
    *)
      echo "network.sh: unknown argument '$1'" >&2
      return 2
      ;;
    esac
    shift 2
  done
  check_words '^[0-9A-Fa-f.:]+$' 'an address' "$private" "$public"
  check_words '^[0-9]+$' 'a number' "$mtu"
  check_words '^[A-Za-z0-9.-]+=[0-9A-Fa-f.:]+$' 'NAME=ADDR' "${peers[@]}"
  install -d -m 0755 "$etc"
  printf 'CONSTRUCT_PRIVATE_IP=%s\nCONSTRUCT_PUBLIC_IP=%s\nCONSTRUCT_MTU=%s\n' "$private" "$public" "$mtu" |
    replace "$etc/host.env" || true
  if hosts_lines "${peers[@]}" | replace "$etc/hosts"; then
    # SIGHUP: dnsmasq reads the file again and forgets what it cached.
    systemctl kill --kill-whom=main --signal=HUP construct-dns.service
  fi
  "$root/usr/local/lib/construct/hosts-block.sh"
}

# check_words PATTERN WHAT WORD… refuses what would be more than one word, or
# nothing, where it is written.
check_words() {
  local pattern=$1 what=$2 word
  shift 2
  for word in "$@"; do
    [[ $word =~ $pattern ]] || {
      printf "network.sh: '%s' is not %s\n" "$word" "$what" >&2
      exit 2
    }
  done
}

hosts_lines() {
  local peer
  for peer in "$@"; do
    printf '%s\t%s\n' "${peer#*=}" "${peer%%=*}"
  done | sort -k 2
}

# replace FILE writes stdin to FILE; false if FILE already says so. /etc/hosts
# may be a mount point in a container, hence not always a rename.
replace() {
  local new
  new=$(mktemp "$etc/.new.XXXXXX")
  cat >"$new"
  if cmp -s "$new" "$1"; then
    rm -f "$new"
    return 1
  fi
  chmod 0644 "$new"
  mv -f "$new" "$1"
}

main "$@" </dev/null
exit
