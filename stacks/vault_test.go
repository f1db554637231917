package stacks

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Nothing waits for Vault: with one that is gone, sealed or refuses the token,
// the services that ask it start and work (lesson 10).
func TestServicesStartWithoutVault(t *testing.T) {
	t.Parallel()
	d := withKeys(t, testDeployment())
	fleet, _ := newFleet(t, d)
	token := make(chan string, 10)
	answering := func(status int) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token <- r.Header.Get("X-Vault-Token")
			w.WriteHeader(status)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	roles := map[string]Role{"auth-service": App, "notification-service": App, "messaging-service": Message}
	for what, c := range map[string]struct {
		address string
		warns   bool
	}{
		"gone":      {"http://127.0.0.1:" + strconv.Itoa(freePort(t)), true},
		"sealed":    {answering(http.StatusServiceUnavailable), true},
		"forbidden": {answering(http.StatusForbidden), true},
		"well":      {answering(http.StatusOK), false},
	} {
		d.Vault = &Vault{Address: c.address, Token: canary + "vault"}
		for service, role := range roles {
			s := fleet.start(t, d, role, service, "")
			assert.Equal(t, c.warns, strings.Contains(s.log(), "warning: ask Vault"), "%s, Vault %s: %s", service, what, s.log())
			_ = s.process.Process.Kill()
			if what != "gone" {
				assert.Equal(t, canary+"vault", <-token, "%s, Vault %s", service, what)
			}
		}
	}
}
