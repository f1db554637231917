// Package sim runs simulated clouds on one machine: the DigitalOcean and the
// Hetzner Cloud API on one port, over hosts that a backend provides, with DNS,
// an ACME directory and an image registry beside them, and with the control API
// under /_sim/. It knows nothing of the program that deploys onto it.
package sim
