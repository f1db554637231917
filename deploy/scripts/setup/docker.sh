# shellcheck shell=bash
# docker.sh configures the engine, and restarts it only when that changes.

configure_docker() {
  install -d -m 0755 /etc/docker
  daemon_json | change restart-docker /etc/docker/daemon.json 0644
  settle restart-docker systemctl restart docker.service || docker_fails
  keep_running docker.service || docker_fails
  retry 5 docker version >/dev/null 2>&1 || die 'Docker does not answer'
}

docker_fails() {
  journalctl --no-pager --quiet -n 20 -u docker.service >&2
  die 'Docker does not start'
}

# daemon_json: live-restore keeps containers running through an engine
# restart; the pool keeps bridges clear of the private network; the MTU is the
# private network's, since a larger one breaks connections that cross it;
# no-new-privileges holds for what is started by hand as well.
daemon_json() {
  cat <<JSON
{
  "log-driver": "json-file",
  "log-opts": {"max-size": "10m", "max-file": "3"},
  "live-restore": true,
  "no-new-privileges": true,
  "mtu": $mtu,
  "dns": ["169.254.20.53"],
  "bip": "${pool%.*/*}.1/24",
  "default-address-pools": [{"base": "$pool", "size": 24}]
}
JSON
}
