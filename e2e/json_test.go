package e2e

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func toJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return string(data)
}

// kinds are the sorted kinds of step that an operation took.
func kinds(changes map[string]int) []string { return slices.Sorted(maps.Keys(changes)) }
