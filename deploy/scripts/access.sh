#!/bin/bash
# construct-access --admin USER --host-key FINGERPRINT… --key LINE…
#
# Makes these lines of authorized_keys the only ones that log in as USER, and the
# private keys on stdin, behind a line that is skipped, this host's own. Neither
# cuts a connection, and whoever runs it is not locked out by it.
set -euo pipefail

lib=${CONSTRUCT_LIB:-/usr/local/lib/construct}
# shellcheck source=lib/common.sh
source "$lib/common.sh"

main() {
  [ -n "$root" ] || [ "$EUID" = 0 ] || die 'want root: sudo construct-access'
  parse "$@"
  install -d -m 0700 "$run"
  work=$(mktemp -d "$run/access.XXXXXX") # in memory, for root only
  trap 'rm -rf "$work"' EXIT
  install_host_keys
  admit_operators
}

parse() {
  admin='' fingerprints=() keys=()
  while (($# > 0)); do
    case $1 in
    --admin) admin=$2 ;;
    --host-key) fingerprints+=("$2") ;;
    --key) keys+=("$2") ;;
    *) die "construct-access: unknown argument '$1'" ;;
    esac
    shift 2
  done
  ((${#keys[@]} > 0)) || die 'construct-access: no key is to log in; nothing was changed'
}

# install_host_keys replaces the keys that differ, all or none. A note in /run
# makes up for a run that ended before sshd had read them.
install_host_keys() {
  local dir=$root/etc/ssh file name problem
  read_host_keys
  for name in ed25519 ecdsa; do
    file=$dir/ssh_host_${name}_key
    ! cmp -s "$work/$name" "$file" || continue
    : >"$run/host-keys-changed"
    [ ! -e "$file" ] || cp -p "$file" "$work/$name.old"
    put_host_key "$work/$name" "$file"
  done
  [ -e "$run/host-keys-changed" ] || return 0
  install -d -m 0755 "$root/run/sshd" # sshd -t wants it
  if ! problem=$(sshd -t 2>&1) || ! problem=$(systemctl reload ssh.service 2>&1); then
    for name in ed25519 ecdsa; do
      [ ! -e "$work/$name.old" ] || put_host_key "$work/$name.old" "$dir/ssh_host_${name}_key"
    done
    systemctl reload ssh.service || true
    die "the host keys are what they were, sshd refused the new ones: $problem"
  fi
  rm -f "$run/host-keys-changed"
  say "host keys: ${fingerprints[*]}"
}

# read_host_keys splits stdin into one file for each type, and wants exactly the
# keys that were announced.
read_host_keys() {
  local file line count=0
  umask 077
  awk -v dir="$work" 'NR > 1 && /^-----BEGIN/ { n++ } n { print >(dir "/key." n) }'
  for file in "$work"/key.*; do
    line=$(ssh-keygen -y -f "$file" 2>/dev/null </dev/null) || die 'a host key cannot be read; nothing was changed'
    [[ " ${fingerprints[*]} " == *" $(ssh-keygen -l -f "$file" | awk '{ print $2 }') "* ]] || die 'a host key is not the one that was announced; nothing was changed'
    case $line in
    'ssh-ed25519 '*) mv "$file" "$work/ed25519" ;;
    'ecdsa-sha2-nistp256 '*) mv "$file" "$work/ecdsa" ;;
    *) die "a host key is of type ${line%% *}; nothing was changed" ;;
    esac
    count=$((count + 1))
  done
  if [ "$count" != 2 ] || [ ! -e "$work/ed25519" ] || [ ! -e "$work/ecdsa" ]; then
    die "want an ed25519 and an ECDSA host key on stdin, got $count; nothing was changed"
  fi
}

# put_host_key FROM TO, and the public half beside it.
put_host_key() {
  replace "$2" 0600 <"$1" || true
  ssh-keygen -y -f "$2" </dev/null | replace "$2.pub" 0644 || true
}

# admit_operators writes authorized_keys. The key of the connection that brought
# the list stays in it: without it, nobody could correct a list that is wrong.
admit_operators() {
  local own own_line='' home file
  home=$root$(getent passwd "$admin" | cut -d : -f 6)
  [ "$home" != "$root" ] || die "there is no user $admin"
  file=$home/.ssh/authorized_keys
  printf '%s\n' "${keys[@]}" >"$work/keys"
  if over_ssh; then
    own=$(caller_key)
    [ -n "$own" ] || die 'sshd does not tell which key logged in (ExposeAuthInfo), so no key was added or removed'
    if ! has_key "$own" <"$work/keys"; then
      own_line=$(grep -F -- " $own" "$file" | head -n 1) || die "this connection's key is not in $file; nothing was changed"
      say "$own_line" >>"$work/keys"
    fi
  fi
  write_keys "$file" <"$work/keys" || true
  [ -z "$own_line" ] || die "the keys of construct:ssh log in now, and so does still the one that this connection came with," \
    "which is not among them: $(caller). It is removed when one of them connects: name it by ssh.privateKeyPath," \
    'or have no other in the SSH agent (ssh-add -D, then ssh-add FILE), and run pulumi up again.'
}

# has_key KEY tells whether a line of stdin has that key, in base64.
has_key() { awk -v key="$1" '{ for (i = 1; i <= NF; i++) if ($i == key) found = 1 } END { exit !found }'; }

# write_keys FILE is replace, with an owner: sshd reads the file as its user.
write_keys() {
  local dir new
  dir=$(dirname "$1")
  if [ ! -d "$dir" ]; then
    install -d -m 0700 "$dir"
    chown "$admin:" "$dir"
  fi
  new=$(mktemp "$dir/.authorized_keys.XXXXXX")
  cat >"$new"
  if cmp -s "$new" "$1"; then
    rm -f "$new"
    return 1
  fi
  chmod 0600 "$new"
  chown "$admin:" "$new"
  mv -f "$new" "$1"
  say "log in as $admin: $(awk '{ print $NF }' "$1" | paste -s -d ' ')"
}

main "$@"
exit
