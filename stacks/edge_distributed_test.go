package stacks

import (
	"errors"
	"net/http"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// share has an edge count together with all that use a storage, as
// docs/roles/gateway.md says.
func (e *edge) share(t *testing.T, storage string) {
	t.Helper()
	const block = "\trate_limit {args[0]} {\n"
	relocate(t, filepath.Join(e.config, "Caddyfile"), block,
		block+"\t\tdistributed {\n\t\t\tread_interval 200ms\n\t\t\twrite_interval 200ms\n\t\t\tpurge_age 1h\n\t\t}\n\t\tstorage file_system "+storage+"\n")
}

// Two edges that share their counts are one to who asks too much: what one has
// admitted, the other subtracts. Without, each counts for itself.
func TestEdgesShareTheirCounts(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	d.RateLimit = RateLimit{RequestsPerMinute: 60, AuthPerMinute: 8, RegistrationsPerHour: 5, UploadsPerMinute: 5}
	for _, shared := range []bool{true, false} {
		t.Run(strconv.FormatBool(shared), func(t *testing.T) {
			t.Parallel()
			first, second := newEdge(t, d, upstreams{}, "127.0.0.1"), newEdge(t, d, upstreams{}, "127.0.0.1")
			if shared {
				storage := t.TempDir()
				first.share(t, storage)
				second.share(t, storage)
			}
			first.start(t)
			second.start(t)
			ask := func(e *edge, address string, n int) int {
				got, _ := e.admitted(t, e.clientFrom(t, "HTTP/2.0", address), http.MethodPost, "/api/v1/auth/challenge", n)
				return got
			}
			if got := ask(first, "127.0.0.21", 12); got != 8 {
				t.Fatalf("the first admits %d of 12, want 8", got)
			}
			if !shared {
				time.Sleep(time.Second)
				if got := ask(second, "127.0.0.21", 12); got != 8 {
					t.Errorf("the second admits %d of 12, want 8: it counts for itself", got)
				}
				return
			}
			// One request at a time: it may be admitted until the counts have arrived.
			tries := 0
			waitFor(t, 10*time.Second, "the second to refuse", func() error {
				if tries++; ask(second, "127.0.0.21", 1) == 1 {
					return errors.New("it admits the flood of the first")
				}
				return nil
			})
			if tries > 8 {
				t.Errorf("the second refuses after %d of its own, which it would alone", tries)
			}
			if got := ask(second, "127.0.0.22", 3); got != 3 {
				t.Errorf("another address is refused for it: %d of 3", got)
			}
		})
	}
}
