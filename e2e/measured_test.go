package e2e

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
)

// measured logs what a test found out, and leaves it for tools/test.sh to print:
// of tests that pass nothing else is shown.
func measured(t *testing.T, format string, args ...any) {
	t.Helper()
	line := fmt.Sprintf(format, args...)
	t.Log(line)
	name := os.Getenv("CONSTRUCT_MEASURED")
	if name == "" {
		return
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // whoever runs the tests names it
	if err != nil {
		assert.NoError(t, err)
		return
	}
	_, err = fmt.Fprintf(file, "%s: %s\n", t.Name(), line)
	assert.NoError(t, err)
	assert.NoError(t, file.Close())
}
