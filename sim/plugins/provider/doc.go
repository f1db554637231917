// Package provider serves a table of typed resources as a Pulumi provider.
//
// The stand-in plugins share it. A table says of every property what the
// official provider's schema says of it (type, required, default, computed,
// replace on change); from that this package answers Check, Diff and previews
// the way the official providers do. A property that the table lacks is a
// Check failure, so that a typo in the program cannot pass here and fail
// against the real provider.
package provider
