#!/bin/bash
# A copy that was promoted stays promoted.
set -eu
if [ -e /data/promoted ]; then
	exec redis-server /etc/redis/current/redis.conf --replicaof no one --appendonly yes
fi
exec redis-server /etc/redis/current/redis.conf
