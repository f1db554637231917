// Package roles builds the five kinds of server: Gateway, App, Database,
// Message and Media, each a component over one or more Nodes.
//
// A role is built in two steps, since servers must know each other's
// addresses: New… creates machines and sets them up, all roles in parallel;
// Start ships the role's release, in the order that Order gives. Roles take
// plain values and never read the configuration.
package roles
