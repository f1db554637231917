// Package hosttest is what every host backend is tested with: a fleet of hosts
// that tests boot and reach over SSH, and Contract, the behaviour that
// host.Backend promises of each of them.
package hosttest
