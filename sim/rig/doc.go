// Package rig assembles a whole simulator on this machine: hosts, their image,
// the images that they pull and the registry that serves them, both clouds.
package rig
