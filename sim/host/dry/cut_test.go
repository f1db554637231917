package dry_test

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/construct-server/infra/sim/host"
	"github.com/construct-server/infra/sim/host/dry"
	"github.com/construct-server/infra/sim/host/hosttest"
)

// TestCutConnection: the client hears no exit code, the host did the work, and
// the next connection is as any other, dialled directly or through a gateway.
func TestCutConnection(t *testing.T) {
	t.Parallel()
	const pause = 200 * time.Millisecond
	b := dry.New(dry.Options{})
	f := hosttest.NewFleet(t, b, dry.DefaultSSHPort, netip.MustParsePrefix("10.10.0.0/24"), 5*time.Second)
	gatewayAddr := f.Boot(t, "gateway-1", 2, nil)
	gateway := f.Await(t, gatewayAddr)
	f.Await(t, f.Boot(t, "db-1", 3, nil))
	b.OnCommand(func(hostID, command string) (time.Duration, bool) { return pause, command == "cut "+hostID })
	for id, dial := range map[string]func() (*ssh.Client, error){
		"gateway-1": func() (*ssh.Client, error) { return f.Dial(gatewayAddr, "construct", f.Login) },
		"db-1":      func() (*ssh.Client, error) { return f.Through(gateway, "10.10.0.3:2222") },
	} {
		client, err := dial()
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var missing *ssh.ExitMissingError
		if _, err := hosttest.Run(t, client, "cut "+id, "input"); !errors.As(err, &missing) || time.Since(began) < pause {
			t.Errorf("%s: %v after %v, want no exit code, later than %v", id, err, time.Since(began), pause)
		}
		if _, err := client.NewSession(); err == nil {
			t.Errorf("%s: the connection is still there", id)
		}
		if client, err = dial(); err != nil {
			t.Fatal(err)
		}
		if _, err := hosttest.Run(t, client, "another", ""); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		carriedOut(t, f, id, "cut "+id)
	}
}

// carriedOut expects that a host has ended a command well, and another. Nobody
// hears when: the first may end after the second.
func carriedOut(t *testing.T, f *hosttest.Fleet, id, command string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		got, err := f.Commands(t.Context(), id)
		ended := slices.ContainsFunc(got, func(c host.Command) bool { return c.Text == command && c.Exit == 0 })
		if err == nil && len(got) == 2 && ended {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v, recorded %+v, want both commands", id, err, got)
		}
	}
}
