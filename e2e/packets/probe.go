package packets

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Try says what to dial: every address on every port.
type Try struct {
	Addresses []netip.Addr
	TCP, UDP  []int
	Wait      time.Duration // how long silence is waited for; it bounds a whole TCP probe
	AtOnce    int           // TCP probes side by side
}

// Probe is one attempt.
type Probe struct {
	Address  netip.Addr
	Protocol string // tcp or udp
	Port     int
}

// Answer is a probe that got through, and who answered: a listener's name,
// "ssh" for an SSH server, "" for a reset.
type Answer struct {
	Probe
	By string
}

// Report is what came of a Try.
type Report struct {
	Answers []Answer // what got through
	Probes  int      // how many were made
}

// Run probes everything. A refused connection got through too: the host itself
// has answered.
func Run(ctx context.Context, t Try) Report {
	var report Report
	var mu sync.Mutex
	add := func(a Answer) {
		mu.Lock()
		defer mu.Unlock()
		report.Answers = append(report.Answers, a)
	}
	var all sync.WaitGroup
	slots := make(chan struct{}, max(1, t.AtOnce))
	for _, address := range t.Addresses {
		if len(t.UDP) > 0 {
			report.Probes += len(t.UDP)
			all.Go(func() { runUDP(ctx, address, t.UDP, t.Wait, add) })
		}
		for _, port := range t.TCP {
			report.Probes++
			slots <- struct{}{}
			all.Go(func() {
				defer func() { <-slots }()
				if by, ok := dialTCP(ctx, address, port, t.Wait); ok {
					add(Answer{Probe{address, "tcp", port}, by})
				}
			})
		}
	}
	all.Wait()
	return report
}

func dialTCP(ctx context.Context, address netip.Addr, port int, wait time.Duration) (by string, ok bool) {
	dialer := net.Dialer{Timeout: wait, KeepAlive: -1}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(address.String(), strconv.Itoa(port)))
	if err != nil {
		// The only error that a packet of the host's own has caused.
		return "", strings.Contains(err.Error(), "connection refused")
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetReadDeadline(time.Now().Add(max(2*time.Second, 3*wait)))
	line := make([]byte, 64)
	n, _ := io.ReadAtLeast(conn, line, 1)
	return name(line[:n]), true
}

func name(answer []byte) string {
	text, _, _ := strings.Cut(string(answer), "\n")
	if strings.HasPrefix(text, "SSH-") {
		return "ssh"
	}
	return text
}

// runUDP sends a datagram to every port and collects the answers. Ports that
// are silent are asked a second time, since datagrams get lost.
func runUDP(ctx context.Context, address netip.Addr, ports []int, wait time.Duration, add func(Answer)) {
	conn, err := new(net.ListenConfig).ListenPacket(ctx, "udp", ":0")
	if err != nil {
		return // no answers: the caller will miss them
	}
	defer func() { _ = conn.Close() }()
	heard := map[int]bool{}
	for range 2 {
		for i, port := range ports {
			if heard[port] {
				continue
			}
			_, _ = conn.WriteTo([]byte("?"), net.UDPAddrFromAddrPort(netip.AddrPortFrom(address, uint16(port))))
			if i%64 == 63 {
				time.Sleep(2 * time.Millisecond) // no burst that a receive buffer could not take
			}
		}
		_ = conn.SetReadDeadline(time.Now().Add(wait))
		for buffer := make([]byte, 64); ; {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				break
			}
			at, ok := from.(*net.UDPAddr)
			if !ok || heard[at.Port] {
				continue
			}
			heard[at.Port] = true
			add(Answer{Probe{address, "udp", at.Port}, name(buffer[:n])})
		}
	}
}
