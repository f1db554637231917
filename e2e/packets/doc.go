// Package packets is the language that e2e's packet test and the prober on its
// hosts speak: which ports are listened on, which are tried, who answered.
package packets
