// Package settings reads the environment of a Construct service the way the
// real 0.7 binaries do: what is missing or malformed ends the process before
// it listens, and which variables matter depends on the service.
//
// Source of every rule: the facts about the services that this project
// deploys (construct-config crate, 0.7.0).
package settings
