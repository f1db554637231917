// Package program puts a deployment together: it translates the configuration
// into plain values for the packages below, asks the cloud whether it can be
// had, renders every stack, and only then registers resources.
package program
