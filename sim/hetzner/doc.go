// Package hetzner emulates the part of the Hetzner Cloud API v1 that a small
// fleet uses: networks, SSH keys, placement groups, primary IPs, firewalls,
// servers, volumes, zones and the catalogue. It keeps its state in memory, makes
// it true through a host.Backend, and answers conflicts, limits and unknown
// fields as errors. A route it lacks answers 501 and is logged.
//
// Answers are hcloud-go's schema types, requests are this package's own: what
// hcloud-go can send but the emulator does not model is refused by name.
package hetzner
