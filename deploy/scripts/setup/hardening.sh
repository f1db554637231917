# shellcheck shell=bash
# hardening.sh: passwords, kernel modules, and the record of what is done as root.

harden_host() {
  lock_passwords
  install -d -m 0755 /etc/modprobe.d
  replace /etc/modprobe.d/60-construct.conf 0644 <"$here/files/modprobe.conf" || true
  record_privileged
}

# lock_passwords leaves no account that a password opens, at the cloud's
# console either. A host that cannot be reached is repaired by the cloud's
# rescue system, or made anew.
lock_passwords() {
  local user
  while read -r user; do
    usermod --lock "$user"
  done < <(awk -F : '$2 != "" && $2 !~ /^[!*]/ { print $1 }' /etc/shadow)
  # An empty password is none at all.
  while read -r user; do
    usermod --password '!' "$user"
  done < <(awk -F : '$2 == "" { print $1 }' /etc/shadow)
}

# record_privileged has the kernel note every command that is run as root by
# somebody who logged in. sudo's own log ends where "sudo bash" begins.
record_privileged() {
  local rules
  install -d -m 0750 /etc/audit/rules.d
  rules=$(cat "$here/files/audit.rules")
  change load-audit-rules /etc/audit/rules.d/60-construct.rules 0640 <<<"${rules//@ADMIN@/"$admin"}"
  keep_running auditd.service || { warn 'what is done as root is not recorded: auditd does not run'; return 0; }
  # Where the condition keeps it from starting, the kernel takes no rules.
  systemctl --quiet is-active auditd.service || return 0
  settle load-audit-rules load_audit_rules
}

load_audit_rules() {
  augenrules --load >/dev/null 2>"$run/audit.log" ||
    warn "some audit rules were not accepted: $(tr '\n' ';' <"$run/audit.log")"
}
