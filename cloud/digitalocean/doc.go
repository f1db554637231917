// Package digitalocean adapts DigitalOcean to cloud.Provider.
//
// Firewalls are attached by tag, and name their peers by tag, so that neither
// the ten droplets of a firewall nor addresses that are not chosen but
// assigned are in the way. Everything is placed in a VPC of the stack's own.
package digitalocean
