#!/bin/bash
# Runs HAProxy on a copy of its configuration, by which a reload sees whether
# anything has changed.
set -eu
cp /etc/haproxy/current/haproxy.cfg /run/haproxy.cfg
echo 1 >/run/servers # the format of a state without servers
echo $$ >/run/master
exec haproxy -W -db -f /run/haproxy.cfg
