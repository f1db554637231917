# shellcheck shell=bash
# system.sh: limits, logs, time, upgrades, swap, the resolver, and what runs at
# every boot or every minute.

tune_system() {
  install -d -m 0755 /etc/sysctl.d /etc/systemd/journald.conf.d /etc/apt/apt.conf.d
  change load-sysctl /etc/sysctl.d/60-construct.conf 0644 <"$here/files/sysctl.conf"
  settle load-sysctl load_sysctl
  change restart-journald /etc/systemd/journald.conf.d/60-construct.conf 0644 <"$here/files/journald.conf"
  settle restart-journald systemctl restart systemd-journald.service
  replace /etc/apt/apt.conf.d/60-construct.conf 0644 <"$here/files/apt-upgrades.conf" || true
  keep_running chrony.service || warn 'time synchronisation does not run'
  keep_running unattended-upgrades.service || warn 'unattended upgrades do not run'
}

# load_sysctl: a kernel that lacks some of the keys gets the others.
load_sysctl() {
  sysctl --quiet --ignore --load /etc/sysctl.d/60-construct.conf 2>"$run/sysctl.log" ||
    warn "some kernel settings were not accepted: $(tr '\n' ';' <"$run/sysctl.log")"
}

# make_swap gives small hosts a swap file. A file system or a kernel that
# cannot swap is worth a warning, not a failed deployment.
make_swap() {
  local file=/swapfile total
  total=$(awk '$1 == "MemTotal:" { print int($2 / 1024) }' /proc/meminfo)
  if ((swap_mb == 0 || total >= 3900)); then
    return 0
  fi
  if [ ! -s "$file" ] || [ "$(($(stat -c %s "$file") / 1048576))" != "$swap_mb" ]; then
    swapoff "$file" 2>/dev/null || true
    rm -f "$file"
    (umask 077 && fallocate -l "${swap_mb}M" "$file" && mkswap --quiet "$file") ||
      { warn "no room for a swap file of $swap_mb MB"; rm -f "$file"; return 0; }
  fi
  grep -q "^$file " /etc/fstab 2>/dev/null || echo "$file none swap sw,nofail 0 0" >>/etc/fstab
  grep -q "^$file " /proc/swaps || swapon "$file" 2>/dev/null || warn 'swap cannot be switched on here'
}

# start_resolver answers containers' questions at 169.254.20.53. Those who need
# no neighbour's name from Docker have this resolv.conf for their own.
start_resolver() {
  printf 'nameserver 169.254.20.53\noptions timeout:2\n' | replace "$etc/resolv.conf" 0644 || true
  change restart-resolver "$etc/dnsmasq.conf" 0644 <"$here/files/dnsmasq.conf"
  settle restart-resolver systemctl restart construct-dns.service
  keep_running construct-dns.service
}

# prepare_firewall has the ruleset loaded at boot, from when there is one:
# construct-firewall writes it.
prepare_firewall() { start_at_boot construct-firewall.service; }

# start_metrics has monitoring told about this host, every minute.
start_metrics() { run_every metrics; }

# start_logs has the log agent, where there is one, shown what to read.
start_logs() { run_every logs; }

# run_every NAME installs NAME.sh, which a timer runs again and again.
run_every() {
  replace "$root/usr/local/lib/construct/$1.sh" 0755 <"$here/$1.sh" || true
  keep_running "construct-$1.timer"
}
