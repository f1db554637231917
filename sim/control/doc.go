// Package control is the simulator's own HTTP API under /_sim/: the log of API
// requests, the resources and hosts that exist, the commands run on each host,
// and faults to inject. It also is the middleware that logs requests and makes
// faults happen, in front of both emulated clouds and of the host backend.
package control
