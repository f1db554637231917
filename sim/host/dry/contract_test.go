package dry_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/construct-server/infra/sim/host/dry"
	"github.com/construct-server/infra/sim/host/hosttest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	b := dry.New(dry.Options{BootDelay: 20 * time.Millisecond})
	f := hosttest.NewFleet(t, b, dry.DefaultSSHPort, netip.MustParsePrefix("10.10.0.0/24"), 10*time.Second)
	hosttest.Contract(t, f)
}
