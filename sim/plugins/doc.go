// Package plugins installs stand-ins for the Pulumi plugins that cannot be
// had offline: the providers digitalocean, hcloud and command, and the Go
// language host.
//
// The Pulumi engine is real; only its plugins are replaced, and only where the
// official ones are not installed. The stand-ins have the official tokens,
// property names and replace-or-update behaviour for all that the program
// sets; what they do not model they reject. They know nothing of the program:
// like the official ones they call the cloud's API, wherever the provider's
// configuration says that it is.
package plugins
