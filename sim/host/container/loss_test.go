package container_test

import (
	"errors"
	"net/netip"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/construct-server/infra/sim/host/container"
	"github.com/construct-server/infra/sim/host/hosttest"
)

// The test's own hosts, beside those of TestContainerHosts.
const (
	lossInstance = "losstest"
	lossPublic   = "198.18.78.0/24"
	lossPrivate  = "198.19.78.0/24"
)

// TestLosePackets pings from a host to the machine, and to another host on the
// private network: a fifth of the packets is lost each way, so that 36 of 100
// questions have no answer; before and after, none is lost.
func TestLosePackets(t *testing.T) {
	b, err := container.New(t.Context(), container.Options{
		Image: hostImage(t), Instance: lossInstance, Prefix: netip.MustParsePrefix(lossPublic),
	})
	if err != nil {
		t.Fatal(err)
	}
	f := hosttest.NewFleet(t, b, 22, netip.MustParsePrefix(lossPrivate), time.Minute)
	f.Boot(t, "one", 11, nil)
	f.Boot(t, "two", 12, nil)
	ways := map[string]string{"the machine": "198.18.78.1", "another host": f.PrivateAddr(12).String()}
	for _, c := range []struct {
		name       string
		percent    int
		least, max float64 // of 400 questions, four standard deviations about what is expected
	}{{"before", -1, 0, 0}, {"meanwhile", 20, 26, 46}, {"after", 0, 0, 0}} {
		if c.percent >= 0 {
			if err := b.LosePackets(t.Context(), c.percent); err != nil {
				t.Fatal(err)
			}
		}
		for to, addr := range ways {
			lost := pingLoss(t, "csim-"+lossInstance+"-one", addr)
			t.Logf("%s, to %s: %.1f %% without an answer", c.name, to, lost)
			if lost < c.least || lost > c.max {
				t.Errorf("%s, to %s: %.1f %% lost, want %.0f to %.0f", c.name, to, lost, c.least, c.max)
			}
		}
	}
	if b.LosePackets(t.Context(), 101) == nil {
		t.Error("more than all packets were lost")
	}
	// Close takes it back.
	if err := errors.Join(b.LosePackets(t.Context(), 50), b.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("nft", "list", "tables").Output(); err == nil && strings.Contains(string(out), "csim_"+lossInstance) {
		t.Errorf("left over: %s", out)
	}
}

var lossLine = regexp.MustCompile(`([0-9.]+)% packet loss`)

// pingLoss is the share of 400 questions without an answer, in percent.
func pingLoss(t *testing.T, from, to string) float64 {
	t.Helper()
	// -W: the last answers may be late. Exit code 1 says that not all came.
	out, _ := exec.Command("docker", "exec", from, "ping", "-q", "-n", "-i", "0.005", "-c", "400", "-W", "2", to).CombinedOutput()
	found := lossLine.FindStringSubmatch(string(out))
	if found == nil {
		t.Fatalf("ping %s: %s", to, strings.TrimSpace(string(out)))
	}
	lost, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return lost
}
