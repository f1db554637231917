// Package initcmd is `construct init`: it asks what a deployment needs to know,
// writes the stack's file, generates every secret and has Pulumi encrypt them.
// A secret reaches the pulumi CLI on its standard input only, never as an
// argument or in the environment, where other processes could read it.
package initcmd
