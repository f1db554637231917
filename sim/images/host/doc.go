// Package host builds the image of which simulated servers are made: a Debian
// 12 root file system as the clouds offer it (systemd, cloud-init, sshd, Docker
// with the Compose plugin) plus what lets it believe, inside a container, that
// it is a server: overlay/usr/sbin/csim-init.
//
// The root file system comes from mmdebstrap and Debian's package servers;
// where mmdebstrap is not installed, from the public debian image and apt. Both
// stages are kept as images tagged with the digest of their recipe, so that
// they are built once.
package host
