// Package fleetcmd is what an operator asks of a deployment that runs: what
// differs from what should run, what a service logs, a shell or a command on a
// host, and the way back to an earlier release. It learns from the stack's
// outputs which hosts there are, how they are reached and recognised, and what
// they should run; the hosts themselves tell the rest over SSH.
package fleetcmd
