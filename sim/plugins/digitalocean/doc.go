// Package digitalocean stands in for the Pulumi provider "digitalocean"
// 4.76.0, for the resources and functions that a deployment of this
// repository uses.
//
// Required, computed and replace-on-change properties, requests and retries
// are those of the official Terraform provider that the Pulumi provider
// bridges. What differs on purpose: the wait before the first look at an
// action (see provider.PollVariable) and that a failed update leaves the old
// state, so that the next `up` tries again.
package digitalocean
