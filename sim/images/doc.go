// Package images builds the stand-in container images that simulated hosts
// pull: real PostgreSQL, Redis, Prometheus and exporters from Debian packages,
// and Go programs for what Debian does not carry (the Construct services, a
// Kafka-protocol broker, Caddy with its rate limiter, Grafana's API).
//
// Every image keeps the contract of the upstream image that it replaces: the
// entry point, the user and its number, the paths, and which shell and probe
// tools are inside, so that a health check which works here works there too.
//
// Images lie in an OCI layout on disk, made of layers that are each keyed by
// what went into them; a second Build with nothing changed only reads keys.
// Building needs apt-get, dpkg-deb and the Go toolchain, and no root.
package images
