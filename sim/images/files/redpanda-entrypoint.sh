#!/usr/bin/env bash
# As in the upstream image, what follows is a command of rpk.
set -e
exec /usr/bin/rpk "$@"
