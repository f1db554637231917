// Package command stands in for the Pulumi provider "command" 1.2.1: remote
// commands and copies over SSH, local commands.
//
// It behaves as the official provider's source and observation say: dialling
// is retried from 100 ms by 1.5 up to 5 s, `dialErrorLimit` times (10 by
// default, about 11 s on a refused port); host keys are checked only where
// given, on target and proxy each; a change of `triggers` replaces, any other
// change runs `update`, or `create` where there is none; a failure quotes the
// command and its output.
package command
