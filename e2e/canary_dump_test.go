package e2e

import (
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// dump begins a message by which Pulumi's engine, from -v=9 on, prints every
// property as it comes over the wire. Of a secret's value it does so before it
// knows that it is one: sdk/go/common/resource/plugin/rpc.go, UnmarshalProperties,
// up to 3.274.1 at least. No program can keep it from that, so operators are told
// to stay at -v=8 (docs/operations.md, docs/security.md), and these messages are
// looked at apart: that they are all that holds secrets, and that they still do.
const dump = `"msg":"((?:Unm|M)arshaling property for RPC)\[`

var (
	messages = regexp.MustCompile(`(?m)^\{.*\}$\n`)
	dumps    = regexp.MustCompile(`(?m)^\{.*` + dump + `.*$`)
)

func withoutDumps(said string) string { return dumps.ReplaceAllString(said, "") }

// dumped checks which messages hold secrets: at -v=9 the two of the engine's own,
// below it none is there at all. Were Pulumi to mend it, this would say so.
func (r *canaryRun) dumped(t *testing.T, what, said string, all bool) {
	t.Helper()
	found, holding := 0, map[string]int{}
	for _, message := range dumps.FindAllStringSubmatch(said, -1) {
		found++
		if len(r.find.in(message[0])) > 0 {
			holding[message[1]]++
		}
	}
	if !all {
		assert.Zero(t, found, "%s dumps properties", what)
		return
	}
	assert.Equal(t, []string{"Marshaling property for RPC", "Unmarshaling property for RPC"}, slices.Sorted(maps.Keys(holding)),
		"%s: the messages that hold secrets", what)
	t.Logf("%s: of %d dumped properties, with secrets: %v", what, found, holding)
}
