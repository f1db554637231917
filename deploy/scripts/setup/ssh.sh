# shellcheck shell=bash
# ssh.sh: who may log in, how, and what they may reach through this host. A
# configuration that sshd refuses, or that another file makes weaker, is never
# in force: the file that was there is put back.

configure_ssh() {
  local dir=$root/etc/ssh file old problem
  file=$dir/sshd_config.d/00-construct.conf
  install -d -m 0700 "$owed"
  install -d -m 0755 "$root/run/sshd" "$dir/sshd_config.d" # sshd -t wants the first
  # AcceptEnv adds up over all files: only without Debian's own line is it empty.
  ! grep -q '^AcceptEnv' "$dir/sshd_config" || sed -i 's/^AcceptEnv/#&/' "$dir/sshd_config"
  old=$(mktemp "$run/sshd.XXXXXX")
  [ ! -e "$file" ] || cat "$file" >"$old"
  if sshd_configuration | replace "$file" 0644 "$owed/reload-sshd"; then
    if ! problem=$(sshd_problem) || ! problem=$(settle reload-sshd systemctl reload ssh.service 2>&1); then
      put_back "$old" "$file"
      die "sshd keeps its configuration, the new one was refused: $problem"
    fi
  else
    problem=$(sshd_problem) || die "sshd is not configured as it should be: $problem"
    settle reload-sshd systemctl reload ssh.service
  fi
  rm -f "$old"
}

# put_back OLD FILE; an empty OLD was no file.
put_back() {
  if [ -s "$1" ]; then
    replace "$2" 0644 <"$1" || true
  else
    rm -f "$2"
  fi
  rm -f "$1"
  systemctl reload ssh.service || true # for the case that the first reload got half way
}

sshd_configuration() {
  local text forwarding='AllowTcpForwarding no'
  if ((${#forward[@]} > 0)); then
    # "local" is what ssh -J and ssh -L ask for; -R stays off.
    forwarding=$(printf '%s\n' 'AllowTcpForwarding local' "PermitOpen ${forward[*]}")
  fi
  text=$(cat "$here/files/sshd.conf")
  text=${text//@PORT@/"$ssh_port"}
  text=${text//@ADMIN@/"$admin"}
  say "${text//@FORWARDING@/"$forwarding"}"
}

# sshd_problem fails, saying why, when sshd would refuse its configuration or
# take another than ours: some values add up over all files.
sshd_problem() {
  local out key want got
  if ! out=$(sshd -t 2>&1) || ! out=$(sshd -T -C user="$admin",host=localhost,addr=127.0.0.1 2>&1); then
    say "$out"
    return 1
  fi
  while read -r key want; do
    got=$(sed -n "s/^$key //p" <<<"$out" | tr '\n' ' ')
    [ "${got% }" = "$want" ] || {
      say "$key is '${got% }', expected '$want': is it set in another file of /etc/ssh/sshd_config.d?"
      return 1
    }
  done <<WANTED
port $ssh_port
allowusers $admin
hostkey /etc/ssh/ssh_host_ed25519_key /etc/ssh/ssh_host_ecdsa_key
permitrootlogin no
authenticationmethods publickey
passwordauthentication no
kbdinteractiveauthentication no
acceptenv
WANTED
}
