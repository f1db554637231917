// Package repaircmd is `construct repair`: it brings Pulumi's state and the
// cloud together again after a run that was killed, or whose request was carried
// out although its answer was lost. What the next `pulumi up` would create and
// the cloud already has under that name is taken into the state; a server is
// deleted instead, since what it was created with cannot be read back, and it is
// made again. A server that holds a volume is never deleted, nor is a volume.
package repaircmd
