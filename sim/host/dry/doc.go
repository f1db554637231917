// Package dry is a host backend without hosts: per host an SSH server in this
// process that records the commands it is given and answers as a healthy host
// would. It needs neither root nor Docker.
//
// Public addresses are loopback addresses (127.77.0.0/16) on a port above
// 1024. Private addresses exist only in this process: a connection through one
// host's direct-tcpip to another's private address is handed over in memory and
// never dialled. Cloud firewalls are applied to that private traffic; public
// traffic comes from loopback, which no firewall could tell apart, and passes.
// Volumes are bookkeeping, IPv6 addresses are ignored.
package dry
