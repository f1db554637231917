#!/bin/bash
# Runs once, inside the image while it is built: what differs between a fresh
# Debian root file system and a cloud's image of it.
set -euo pipefail

# Units that have no business in a container, or wait for what never comes.
systemctl mask --quiet \
  systemd-udevd.service systemd-udev-trigger.service systemd-udev-settle.service \
  systemd-udevd-control.socket systemd-udevd-kernel.socket \
  getty@.service console-getty.service serial-getty@.service getty.target \
  systemd-networkd-wait-online.service systemd-pstore.service systemd-modules-load.service \
  e2scrub_all.timer e2scrub_reap.service fstrim.timer dpkg-db-backup.timer \
  cloud-init-hotplugd.socket modprobe@.service systemd-journald-audit.socket \
  proc-sys-fs-binfmt_misc.automount sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
  dev-hugepages.mount sys-fs-fuse-connections.mount systemd-binfmt.service

# Nothing of theirs is in a container: no encrypted, hidden or hibernated disk,
# no terminal. Each is a process or two whenever systemd reads its units.
for generator in cryptsetup debug getty gpt-auto hibernate-resume integritysetup rc-local run system-update veritysetup; do
  ln -sf /dev/null "/etc/systemd/system-generators/systemd-$generator-generator"
done

# No cloud image has them on. fail2ban reads /var/log/auth.log, which needs
# rsyslog; the audit is the kernel's, hence another machine's.
systemctl disable --quiet fail2ban.service auditd.service

# The timers stay; they only do not fire because the last run was missed.
for timer in apt-daily apt-daily-upgrade; do
  mkdir -p "/etc/systemd/system/$timer.timer.d"
  printf '[Timer]\nPersistent=false\n' >"/etc/systemd/system/$timer.timer.d/csim.conf"
done

# Swap would be the whole machine's. The commands succeed without effect.
for command in swapon swapoff; do
  dpkg-divert --quiet --local --rename --divert "/usr/sbin/$command.real" --add "/usr/sbin/$command"
  ln -sf /usr/lib/csim/swap "/usr/sbin/$command"
done

echo 'LANG=C.UTF-8' >/etc/default/locale
mkdir -p /var/log/journal /etc/csim /etc/docker
printf -- '- - -\n' >/etc/csim/network
touch /etc/csim/addresses /etc/csim/private /etc/csim/disks /etc/fstab
rm -f /etc/ssh/ssh_host_*
: >/etc/machine-id
rm -rf /var/lib/docker /var/lib/containerd /var/log/*.log /var/log/apt
mkdir -p /var/lib/docker
