// Package deploy turns a booted server into a host of the fleet and ships
// releases onto it, over SSH, with pulumi-command's remote.Command.
//
// Three components, in the order in which they run on one server:
//
//   - [Host] waits for the machine (reach, ready) and sets it up (setup):
//     Docker, volume, resolver, limits, deploy scripts; then says who logs in
//     and which host keys it has (access). It knows no address of another
//     host. A volume's file system follows its size (grow).
//   - [HostNetwork] tells it its own addresses and its peers' (network).
//   - [Release] pulls the images of a bundle (pull) and starts it (release),
//     healthy or put back to what ran before.
//
// The shell that does the work is real files under scripts/, embedded. A
// command's text is short, visible and free of secrets, since a failing
// command's error quotes all of it and a preview prints it; scripts, bundles
// and logins travel on stdin. Every command is safe to run again, long work
// goes on when the SSH connection is cut, and nothing runs on deletion.
//
// The server's id is part of each command's stdin: a server that was replaced
// behind an unchanged private address is a new host and is set up again, while
// the text that an operator reads in a preview stays known.
package deploy
