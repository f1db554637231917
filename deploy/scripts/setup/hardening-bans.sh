# shellcheck shell=bash
# hardening-bans.sh: fail2ban, on hosts whose sshd answers somebody else than
# the gateway. Keys cannot be guessed; what bans save is the journal, and the
# places at sshd's door.

ban_intruders() {
  if ((${#trust[@]} == 0)); then
    # Exposed once, and not any more.
    [ ! -e /etc/fail2ban/jail.d/60-construct.local ] || keep_stopped fail2ban.service
    rm -f /etc/fail2ban/jail.d/60-construct.local
    return 0
  fi
  local text problem
  install -d -m 0755 /etc/fail2ban/jail.d /etc/fail2ban/fail2ban.d
  text=$(cat "$here/files/fail2ban.conf")
  text=${text//@PORT@/"$ssh_port"}
  change restart-bans /etc/fail2ban/jail.d/60-construct.local 0644 <<<"${text//@TRUST@/"${trust[*]}"}"
  change restart-bans /etc/fail2ban/fail2ban.d/60-construct.local 0644 <"$here/files/fail2ban-log.conf"
  problem=$(fail2ban-client -t 2>&1) || die "fail2ban refuses its configuration: $problem"
  settle restart-bans systemctl restart fail2ban.service
  keep_running fail2ban.service
}
