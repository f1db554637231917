#!/bin/sh
# Before dnsmasq starts: its address, on an interface that no cloud touches (a
# bridge without members, since Docker needs bridges anyway and cloud kernels
# may lack the dummy driver), and the list of servers to which it passes on what it does not know.
set -eu

ip link show construct0 >/dev/null 2>&1 || ip link add construct0 type bridge
ip addr replace 169.254.20.53/32 dev construct0
ip link set construct0 up

# Where systemd-resolved runs, /etc/resolv.conf names only its own stub.
source=/etc/resolv.conf
[ ! -s /run/systemd/resolve/resolv.conf ] || source=/run/systemd/resolve/resolv.conf
ln -sfn "$source" /run/construct-dns/upstream.conf
