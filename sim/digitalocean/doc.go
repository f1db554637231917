// Package digitalocean emulates the part of the DigitalOcean API v2 that a
// small fleet uses: VPCs, SSH keys, tags, droplets, volumes, cloud firewalls,
// reserved addresses, domains and projects. It keeps its state in memory, makes
// it true through a host.Backend, and answers conflicts, limits and unknown
// fields as errors. A route it lacks answers 501 and is logged.
//
// Answers are godo's types, requests are this package's own: what godo can send
// but the emulator does not model is refused by name.
package digitalocean
