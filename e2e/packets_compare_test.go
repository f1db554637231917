package e2e

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/construct-server/infra/e2e/packets"
)

// compare probes everything and reports every probe whose outcome is not as
// expected.
func (p *packetLab) compare(t *testing.T, expected expectation) {
	t.Helper()
	start := time.Now()
	var mu sync.Mutex
	var wrong []string
	probes, through := 0, 0
	slots := make(chan struct{}, 4)
	var all sync.WaitGroup
	for _, s := range p.sources {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			n, got, problems := p.compareFrom(s, expected)
			mu.Lock()
			defer mu.Unlock()
			probes, through, wrong = probes+n, through+got, append(wrong, problems...)
		})
	}
	all.Wait()
	measured(t, "%s: %d probes from %d sources to %d addresses on %d ports of TCP and UDP, %d got through, in %.0f s",
		p.cloud, probes, len(p.sources), len(p.targets), len(p.ports), through, time.Since(start).Seconds())
	assert.Positive(t, through)
	assert.Greater(t, probes, 40_000)
	slices.Sort(wrong)
	assert.Empty(t, wrong[:min(len(wrong), 40)], "%d probes went otherwise than expected", len(wrong))
}

// compareFrom probes from one source. What was expected to get through and did
// not, or to nobody who said a name, is tried once more, slowly: on a busy
// machine packets are late.
func (p *packetLab) compareFrom(s *source, expected expectation) (probes, through int, wrong []string) {
	targets := p.reachable(s)
	try := packets.Try{TCP: p.ports, UDP: p.ports, Wait: 800 * time.Millisecond, AtOnce: 1500}
	for _, to := range targets {
		try.Addresses = append(try.Addresses, to.address)
	}
	report := s.run(try)
	answered := map[packets.Probe]string{}
	for _, a := range report.Answers {
		answered[a.Probe] = a.By
	}
	for _, to := range targets {
		p.tryAgain(s, to, expected, answered)
		for probe := range p.probes(to) {
			by, got := answered[probe]
			want := expected(s, to, probe)
			if got {
				through++
			}
			if got != want || got && by != p.listener(to, probe) {
				wrong = append(wrong, fmt.Sprintf("%s → %s %s %s/%d: through %v (answered by %q), want %v",
					s.name, to.role, to.address, probe.Protocol, probe.Port, got, by, want))
			}
		}
	}
	return report.Probes, through, wrong
}

// tryAgain asks one target for what it has not answered yet, though it should.
func (p *packetLab) tryAgain(s *source, to target, expected expectation, answered map[packets.Probe]string) {
	again := packets.Try{Addresses: []netip.Addr{to.address}, Wait: 3 * time.Second, AtOnce: 20}
	for probe := range p.probes(to) {
		by, got := answered[probe]
		switch {
		case got && by == p.listener(to, probe) || !expected(s, to, probe):
		case probe.Protocol == "tcp":
			again.TCP = append(again.TCP, probe.Port)
		default:
			again.UDP = append(again.UDP, probe.Port)
		}
	}
	if len(again.TCP)+len(again.UDP) == 0 {
		return
	}
	for _, a := range s.run(again).Answers {
		answered[a.Probe] = a.By
	}
}

// probes are all that are made of a target.
func (p *packetLab) probes(to target) iter.Seq[packets.Probe] {
	return func(yield func(packets.Probe) bool) {
		for _, protocol := range []string{"tcp", "udp"} {
			for _, port := range p.ports {
				if !yield(packets.Probe{Address: to.address, Protocol: protocol, Port: port}) {
					return
				}
			}
		}
	}
}

// listener is who answers at a target.
func (p *packetLab) listener(to target, probe packets.Probe) string {
	switch {
	case to.role == "":
		return "stranger"
	case slices.Contains(p.published(to.role), probe.Port):
		return string(to.role) + "-container"
	case probe.Port == 22 && probe.Protocol == "tcp":
		return "ssh"
	default:
		return string(to.role)
	}
}
