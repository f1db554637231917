// Package hcloud stands in for the Pulumi provider "hcloud" 1.39.1, for the
// resources and functions that a deployment of this repository uses.
//
// Required, computed and replace-on-change properties, requests and retries
// are those of the official Terraform provider that the Pulumi provider
// bridges. What differs on purpose: a failed update leaves the old state, so
// that the next `up` tries again.
package hcloud
