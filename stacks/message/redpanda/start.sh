#!/bin/bash
# rpk writes the file that it reads, and Redpanda wants its cluster's properties
# beside it: both get copies.
set -eu
cp /etc/construct/redpanda.yaml /etc/redpanda/redpanda.yaml
cp /etc/construct/cluster.yaml /etc/redpanda/.bootstrap.yaml
chmod 0600 /etc/redpanda/redpanda.yaml /etc/redpanda/.bootstrap.yaml
exec rpk redpanda start "$@"
