# shellcheck shell=bash
# packages.sh installs what is missing, and only that.

# What Debian itself provides. dnsmasq-base is the program without a service.
debian_packages=(auditd ca-certificates chrony curl dnsmasq-base e2fsprogs iproute2 iputils-ping nftables unattended-upgrades)
# Where sshd answers strangers as well. python3-systemd reads the journal.
exposed_packages=(fail2ban python3-systemd)

# Docker's signing key: https://docs.docker.com/engine/install/debian/
docker_key_url=https://download.docker.com/linux/debian/gpg
docker_key_fingerprint=9DC858229FC7DD38854AE2D88D81803C0EBFCD88
docker_packages=(docker-ce docker-ce-cli containerd.io docker-compose-plugin)

install_packages() {
  local wanted=("${debian_packages[@]}") missing=()
  ((${#trust[@]} == 0)) || wanted+=("${exposed_packages[@]}")
  mapfile -t missing < <(comm -23 <(printf '%s\n' "${wanted[@]}" | sort) <(installed "${wanted[@]}"))
  if ((${#missing[@]} > 0)); then
    apt update
    apt install "${missing[@]}"
  fi
  have_docker || install_docker
  hold_docker
}

# installed PACKAGE… prints, sorted, those that are; one query for all, since
# each costs as much as all.
installed() {
  dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' | sort
}

have_docker() {
  command -v dockerd >/dev/null && docker compose version >/dev/null 2>&1
}

# apt waits for whoever holds dpkg's lock (first boot's upgrades), repairs what
# an interrupted run has left, and keeps configuration files as they are.
apt() {
  local options=(-y -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold)
  if [ "$1" = install ]; then
    dpkg --configure -a
    options+=(--no-install-recommends)
  fi
  retry 3 apt-get "${options[@]}" "$@" >"$run/apt.log" 2>&1 || {
    tail -n 20 "$run/apt.log" >&2
    die "apt-get $* failed"
  }
}

install_docker() {
  [ "$(installed gnupg)" ] || { apt update && apt install gnupg; }
  local codename keyring=/etc/apt/keyrings/docker.asc new
  # shellcheck source=/dev/null
  codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
  install -d -m 0755 /etc/apt/keyrings
  new=$(mktemp)
  retry 3 curl -fsS --max-time 60 -o "$new" "$docker_key_url" || die "fetch $docker_key_url failed"
  check_key "$new" "$docker_key_fingerprint"
  install -m 0644 "$new" "$keyring"
  rm -f "$new"
  echo "deb [arch=$(dpkg --print-architecture) signed-by=$keyring] https://download.docker.com/linux/debian $codename stable" \
    >/etc/apt/sources.list.d/docker.list
  apt update
  apt install "${docker_packages[@]}"
  have_docker || die 'Docker or its Compose plugin does not run after installation'
}

# check_key FILE FINGERPRINT refuses a file that holds any other primary key.
check_key() {
  local found
  found=$(gpg --batch --with-colons --show-keys "$1" | awk -F: '$1 == "pub" { p = 1 } p && $1 == "fpr" { print $10; p = 0 }')
  [ "$found" = "$2" ] || die "the key in $1 has the fingerprint '$found', expected $2: refusing to install Docker"
}

# hold_docker keeps every upgrade from restarting the engine: unattended ones
# are told as well (files/apt-upgrades.conf).
hold_docker() {
  local hold=()
  mapfile -t hold < <(dpkg-query -W -f '${db:Status-Want} ${db:Status-Status} ${Package}\n' \
    "${docker_packages[@]}" docker.io containerd runc 2>/dev/null | sed -n 's/^install installed //p')
  ((${#hold[@]} == 0)) || apt-mark hold "${hold[@]}" >/dev/null
}
