// Package registry is the simulator's container registry: it serves the built
// stand-in images to docker over HTTPS, straight from the files on disk. It
// takes no pushes. It counts pulls, and can be told to fail.
package registry
