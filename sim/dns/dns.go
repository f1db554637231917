// Package dns answers DNS queries authoritatively from the record sets of the
// emulated clouds, so that a domain created there resolves, for ACME
// validation and for clients of the simulator.
package dns

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/construct-server/infra/sim/api"
	"github.com/miekg/dns"
)

// Source lists the record sets as of now.
type Source func() []api.RecordSet

// Server answers on one address, over UDP and TCP.
type Server struct {
	// Addr is host:port, with the port that was chosen.
	Addr     string
	udp, tcp *dns.Server
}

// maxBindTries is how often a port chosen for UDP may turn out taken for TCP.
const maxBindTries = 10

// Start serves on addr, as "203.0.113.1:53"; port 0 chooses one.
func Start(ctx context.Context, addr string, source Source) (*Server, error) {
	packets, listener, err := bind(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("serve DNS on %s: %w", addr, err)
	}
	h := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		// The client may be gone; there is nobody left to tell.
		_ = w.WriteMsg(answer(q, source()))
	})
	s := &Server{
		Addr: packets.LocalAddr().String(),
		udp:  &dns.Server{PacketConn: packets, Handler: h},
		tcp:  &dns.Server{Listener: listener, Handler: h},
	}
	started := make(chan struct{}, 2)
	for _, one := range []*dns.Server{s.udp, s.tcp} {
		one.NotifyStartedFunc = func() { started <- struct{}{} }
		go func() { _ = one.ActivateAndServe() }() // ends with Close
	}
	<-started
	<-started
	return s, nil
}

// bind opens one port for both protocols.
func bind(ctx context.Context, addr string) (net.PacketConn, net.Listener, error) {
	var lc net.ListenConfig
	for try := 1; ; try++ {
		packets, err := lc.ListenPacket(ctx, "udp", addr)
		if err != nil {
			return nil, nil, fmt.Errorf("listen: %w", err)
		}
		listener, err := lc.Listen(ctx, "tcp", packets.LocalAddr().String())
		if err == nil {
			return packets, listener, nil
		}
		_ = packets.Close()
		if try == maxBindTries || !strings.HasSuffix(addr, ":0") {
			return nil, nil, fmt.Errorf("listen: %w", err)
		}
	}
}

// Close stops serving.
func (s *Server) Close() error {
	udp, tcp := s.udp.Shutdown(), s.tcp.Shutdown()
	if udp != nil {
		return fmt.Errorf("close DNS server: %w", udp)
	}
	if tcp != nil {
		return fmt.Errorf("close DNS server: %w", tcp)
	}
	return nil
}

// answer resolves one query. A name outside every zone is refused, as by a
// server that is not asked to recurse.
func answer(q *dns.Msg, sets []api.RecordSet) *dns.Msg {
	m := new(dns.Msg)
	m.SetReply(q)
	if len(q.Question) != 1 {
		m.Rcode = dns.RcodeFormatError
		return m
	}
	name := strings.ToLower(q.Question[0].Name)
	zone := zoneOf(name, sets)
	if zone == "" {
		m.Rcode = dns.RcodeRefused
		return m
	}
	m.Authoritative = true
	exists := lookup(m, name, q.Question[0].Qtype, sets, 0)
	if !exists {
		m.Rcode = dns.RcodeNameError
	}
	if len(m.Answer) == 0 {
		m.Ns = append(m.Ns, soa(zone))
	}
	return m
}

// maxChain bounds how many CNAMEs are followed.
const maxChain = 8

// lookup appends what a name has of a type, following CNAMEs within the zones,
// and says whether the name exists at all.
func lookup(m *dns.Msg, name string, qtype uint16, sets []api.RecordSet, depth int) bool {
	found := false
	for _, s := range sets {
		full := fqdn(s)
		if full != name {
			// An empty non-terminal exists too (RFC 8020).
			found = found || strings.HasSuffix(full, "."+name)
			continue
		}
		found = true
		kind := dns.StringToType[s.Type]
		if kind != qtype && kind != dns.TypeCNAME && qtype != dns.TypeANY {
			continue
		}
		for _, v := range s.Values {
			rr, err := record(s, name, v)
			if err != nil {
				continue // a type whose value the cloud keeps but DNS cannot say
			}
			m.Answer = append(m.Answer, rr)
			if c, is := rr.(*dns.CNAME); is && qtype != dns.TypeCNAME && depth < maxChain {
				lookup(m, strings.ToLower(c.Target), qtype, sets, depth+1)
			}
		}
	}
	return found
}

// record builds one resource record. Targets without a final dot are relative
// to the root, except "@", which is the zone.
func record(s api.RecordSet, name, value string) (dns.RR, error) {
	switch s.Type {
	case "CNAME", "NS":
		if value == "@" {
			value = s.Zone
		}
		value = dns.Fqdn(value)
	case "TXT":
		if !strings.HasPrefix(value, `"`) {
			value = `"` + strings.ReplaceAll(value, `"`, `\"`) + `"`
		}
	}
	rr, err := dns.NewRR(fmt.Sprintf("%s %d IN %s %s", name, s.TTL, s.Type, value))
	if err != nil {
		return nil, fmt.Errorf("build record %s %s: %w", s.Type, name, err)
	}
	return rr, nil
}

func fqdn(s api.RecordSet) string {
	if s.Name == "@" {
		return dns.Fqdn(s.Zone)
	}
	return dns.Fqdn(s.Name + "." + s.Zone)
}

// zoneOf is the longest zone that a name is in, "" if none.
func zoneOf(name string, sets []api.RecordSet) string {
	best := ""
	for _, s := range sets {
		if dns.IsSubDomain(dns.Fqdn(s.Zone), name) && len(s.Zone) > len(best) {
			best = s.Zone
		}
	}
	return best
}

func soa(zone string) dns.RR {
	const minute = 60
	name := dns.Fqdn(zone)
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: minute},
		Ns:  "ns1." + name, Mbox: "hostmaster." + name, Serial: 1,
		Refresh: minute, Retry: minute, Expire: minute, Minttl: minute,
	}
}
