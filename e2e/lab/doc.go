// Package lab puts the real Pulumi engine, this repository's program and a
// simulated cloud together on one machine.
//
// It is where the program and the simulator meet, and the only place besides
// the end-to-end tests that knows both: it writes the stack configuration an
// operator would write, with the simulator's endpoints in it.
package lab
