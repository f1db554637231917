package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim/control"
)

// walked expects that a life in the lab used no route that its cloud's own
// client is not seen to walk in the emulator's tests, which write down what
// they walk.
func walked(t *testing.T, l *lab.Lab) {
	t.Helper()
	var log control.Requests
	require.NoError(t, l.Control.Get(t.Context(), "/requests", &log))
	require.NotZero(t, log.Total)
	tested := map[string]map[string]bool{}
	for _, cloud := range clouds {
		tested[string(cloud)] = map[string]bool{}
		text, err := os.ReadFile(filepath.Join(root(t), "sim", string(cloud), "testdata", "walked.txt"))
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			tested[string(cloud)][strings.TrimSpace(line)] = true
		}
	}
	missing := map[string]bool{}
	for _, r := range log.Requests {
		if route := r.Method + " " + r.Route; r.Status < http.StatusBadRequest && !tested[r.Cloud][route] {
			missing[route] = true
		}
	}
	assert.Empty(t, missing, "routes that a deployment uses and no test of the emulator walks")
}
