// Package container is a host backend whose hosts are containers that behave
// as servers: systemd as process 1, cloud-init with the cloud's user data,
// sshd, Docker inside, block volumes as loop devices, a public and a private
// interface.
//
// The public range is one Docker network, internal, so that nothing leaves the
// machine; its first address is the machine's own. Each private network is
// another. The cloud's firewall is an nftables table in the machine's network
// namespace, which sees every packet before the host's own network stack does
// (bridge-nf-call-iptables). Hosts answer on IPv6 where they were given an
// address.
//
// What needs root on the machine (loop devices, nftables) runs in a helper
// container, so that membership in the docker group is enough. Everything is
// named csim-<instance>-… and labelled construct.sim=1 and
// construct.sim.instance=<instance>, so that Sweep finds it in a later process.
package container
