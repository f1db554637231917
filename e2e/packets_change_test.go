package e2e

import (
	"context"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/e2e/packets"
	"github.com/construct-server/infra/stacks"
)

// during sends packets to the gateway while its rules change: over a connection
// that is open, over new ones to the public port, and to ports that its container
// publishes and no row names, from outside and from the container itself. The last
// passes by no cloud's firewall, so that it tells of the host's own alone.
func (p *packetLab) during(t *testing.T, change func()) {
	t.Helper()
	gateway := p.servers["gateway"]
	public, private := netip.MustParseAddr(gateway.PublicIP), netip.MustParseAddr(gateway.PrivateIP)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var all sync.WaitGroup
	var messages, dialled, closed atomic.Int64
	probe := func(n *atomic.Int64, want bool, run func(packets.Try) packets.Report, try packets.Try) {
		all.Go(func() {
			for ; ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
				report := run(try)
				n.Add(int64(report.Probes))
				if want {
					assert.Len(t, report.Answers, report.Probes, "a new connection was refused")
				} else {
					assert.Empty(t, report.Answers, "a port that nothing admits answered")
				}
			}
		})
	}
	outside := func(try packets.Try) packets.Report { return packets.Run(t.Context(), try) }
	inside := p.prober(t, p.hosts[stacks.Gateway], "docker", "exec", "--interactive", "listener", "/prober", "probe")
	probe(&dialled, true, outside, packets.Try{Addresses: []netip.Addr{public}, TCP: []int{443}, Wait: 5 * time.Second, AtOnce: 1})
	shut := packets.Try{TCP: []int{3333, 27017}, Wait: 50 * time.Millisecond, AtOnce: 4}
	shut.Addresses = slices.Repeat([]netip.Addr{public}, 20)
	probe(&closed, false, outside, shut)
	shut.Addresses = slices.Repeat([]netip.Addr{private}, 100)
	probe(&closed, false, inside, shut)

	conn, err := net.Dial("tcp", net.JoinHostPort(gateway.PublicIP, "443"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	greeting := make([]byte, len("gateway-container\n"))
	_, err = io.ReadFull(conn, greeting)
	require.NoError(t, err)
	all.Go(func() {
		for echo := make([]byte, 1); ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			_, err := conn.Write([]byte{'x'})
			if err == nil {
				_, err = io.ReadFull(conn, echo)
			}
			if err != nil {
				assert.Fail(t, "the open connection was cut", "%v", err)
				return
			}
			messages.Add(1)
		}
	})

	change()
	stop()
	all.Wait()
	measured(t, "%s: while the rules changed, %d messages over one connection and %d new connections got through, and of %d probes of closed ports none",
		p.cloud, messages.Load(), dialled.Load(), closed.Load())
	for what, n := range map[string]int64{"messages": messages.Load(), "connections": dialled.Load(), "probes of closed ports": closed.Load()} {
		assert.Greater(t, n, int64(100), what)
	}
}
