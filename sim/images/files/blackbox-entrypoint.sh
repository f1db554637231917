#!/bin/sh
# Stands in for the upstream image's blackbox_exporter, 0.25: Debian's 0.23 does
# not know --log.prober, and says why a probe failed at its own debug level only.
set -eu

for argument in "$@"; do
	shift
	case "$argument" in
	--log.prober=none) ;;
	--log.prober=*) set -- "$@" --log.level=debug ;;
	*) set -- "$@" "$argument" ;;
	esac
done
exec /usr/libexec/blackbox_exporter "$@"
