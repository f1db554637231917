package dry

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/construct-server/infra/sim/host"
)

// forward hands a direct-tcpip channel (RFC 4254, 7.2) to the sshd of the dry
// host that has the address. Nothing else can be reached through a dry host.
func (m *machine) forward(request ssh.NewChannel) {
	var target struct {
		Host       string
		Port       uint32
		OriginHost string
		OriginPort uint32
	}
	if err := ssh.Unmarshal(request.ExtraData(), &target); err != nil {
		_ = request.Reject(ssh.ConnectionFailed, err.Error()) // the client is told, or gone
		return
	}
	peer, from, err := m.route(target.Host, target.Port)
	if err != nil {
		_ = request.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	channel, requests, err := request.Accept()
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	addr, _ := netip.ParseAddr(target.Host) // route has parsed it
	peer.serve(&channelConn{
		Channel: channel,
		local:   net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, uint16(target.Port))),
		remote:  net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0)),
	})
}

// route finds the host that m reaches at an address, and m's own address
// towards it. Its errors are those of connect(2).
func (m *machine) route(name string, port uint32) (*machine, netip.Addr, error) {
	addr, err := netip.ParseAddr(name)
	if err != nil {
		return nil, addr, fmt.Errorf("connect to %q: name not known (dry hosts resolve none)", name)
	}
	m.backend.mu.Lock()
	defer m.backend.mu.Unlock()
	peer, from, private := m.peer(addr)
	switch {
	case peer == nil:
		return nil, from, fmt.Errorf("connect to %s: no route to host", addr)
	case !peer.on, !m.passes(peer, from, addr, port, private):
		return nil, from, fmt.Errorf("connect to %s:%d: connection timed out", addr, port)
	case !peer.reachable(), port != uint32(m.backend.opts.SSHPort):
		return nil, from, fmt.Errorf("connect to %s:%d: connection refused", addr, port)
	}
	return peer, from, nil
}

// peer finds the owner of addr in one of m's networks, or of a public address.
func (m *machine) peer(addr netip.Addr) (peer *machine, from netip.Addr, private bool) {
	for _, other := range m.backend.sorted() {
		for network, own := range m.private {
			if other.private[network] == addr {
				return other, own, true
			}
		}
		if other.public[addr] {
			return other, m.spec.PublicIPv4, false
		}
	}
	return nil, netip.Addr{}, false
}

// passes applies both hosts' cloud firewalls to a TCP connection.
func (m *machine) passes(peer *machine, from, to netip.Addr, port uint32, private bool) bool {
	out, in := m.firewall, peer.firewall
	if out != nil && out.FilterOutbound && (!private || out.FilterPrivate) && !admits(out.Outbound, to, port) {
		return false
	}
	if in != nil && in.FilterInbound && (!private || in.FilterPrivate) && !admits(in.Inbound, from, port) {
		return false
	}
	return true
}

func admits(rules []host.Rule, peer netip.Addr, port uint32) bool {
	for _, r := range rules {
		all := r.PortFrom == 0 && r.PortTo == 0
		if r.Protocol != "tcp" || !all && (port < uint32(r.PortFrom) || port > uint32(r.PortTo)) {
			continue
		}
		for _, prefix := range r.Peers {
			if prefix.Contains(peer) {
				return true
			}
		}
	}
	return false
}

// channelConn is an SSH channel as a net.Conn.
type channelConn struct {
	ssh.Channel
	local, remote net.Addr
}

func (c *channelConn) LocalAddr() net.Addr  { return c.local }
func (c *channelConn) RemoteAddr() net.Addr { return c.remote }

// Channels have no deadlines, and the SSH server sets none.
func (c *channelConn) SetDeadline(time.Time) error      { return nil }
func (c *channelConn) SetReadDeadline(time.Time) error  { return nil }
func (c *channelConn) SetWriteDeadline(time.Time) error { return nil }
