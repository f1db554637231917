// Package stacks turns a deployment's settings into what each server runs.
//
// Every service is declared once, in the catalogue of a release line; the
// Compose file, environment files, scrape targets, gateway URLs, probes and
// the flows that a firewall must admit all follow from that declaration.
// Render is a pure function: it knows names (db.internal) and never addresses,
// so a bundle's digest is known before any server exists.
package stacks
