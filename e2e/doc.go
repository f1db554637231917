// Package e2e runs the real Pulumi engine and this repository's program
// against the simulated clouds, on dry hosts and on container hosts.
package e2e
