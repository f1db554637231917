// Package network is the private network and its address plan.
//
// The plan is pure: a role's addresses follow from the network's prefix, the
// role and the server's index alone, so that adding a server or a role never
// moves another. Where the cloud assigns addresses itself, the plan is not
// asked.
package network
