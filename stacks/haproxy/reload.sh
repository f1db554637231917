#!/bin/bash
# Has HAProxy take its configuration. Requests under way end in the worker
# before; a configuration that it refuses changes nothing.
set -eu

current=/etc/haproxy/current
worker() { bash $current/ask.sh 'show info' | sed -n 's/^Pid: //p'; }

# The image has no cmp.
[ "$(cat $current/haproxy.cfg)" != "$(cat /run/haproxy.cfg)" ] || exit 0
haproxy -c -f $current/haproxy.cfg >/dev/null
before=$(worker)
# Addresses and what is being drained outlive the worker.
bash $current/ask.sh 'show servers state' >/run/servers
# What is here is a copy that, as the original, may not be written to: -f makes
# another.
cp -f /run/haproxy.cfg /run/before.cfg
cp -f $current/haproxy.cfg /run/haproxy.cfg
kill -USR2 "$(cat /run/master)"
for _ in $(seq 100); do
  sleep 0.1
  now=$(worker 2>/dev/null) || continue
  [ -z "$now" ] || [ "$now" = "$before" ] || exit 0
done
# It is to be tried again.
mv /run/before.cfg /run/haproxy.cfg
echo 'HAProxy has not taken its new configuration within 10 seconds' >&2
exit 1
