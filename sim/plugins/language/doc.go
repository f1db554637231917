// Package language stands in for pulumi-language-go, the language host that
// runs Pulumi programs written in Go.
//
// It does what preview, up, refresh and destroy need of it: it says which
// plugins the program's go.mod asks for, builds the program (or takes the
// runtime option `binary`) and runs it with the environment that the official
// host sets. Code generation is not offered.
package language
