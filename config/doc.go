// Package config is the typed form of a stack's `construct:` configuration.
//
// [Load] parses and [Config.Validate] judges; [Parse] does both. None of them
// creates a resource or talks to a cloud, and all report every problem at
// once, each as "path: problem (want …)", so that a file with five mistakes
// costs one run. What a stack file may say is in schema.go; what it means is
// in [Config], with defaults applied and files read. [GenerateSecrets] makes
// the secrets of a new stack.
package config
