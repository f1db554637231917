package dns_test

import (
	"testing"

	"github.com/construct-server/infra/sim/api"
	simdns "github.com/construct-server/infra/sim/dns"
	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	sets := []api.RecordSet{
		{Zone: "example.com", Name: "@", Type: "A", TTL: 60, Values: []string{"203.0.113.1", "203.0.113.2"}},
		{Zone: "example.com", Name: "www", Type: "CNAME", TTL: 60, Values: []string{"@"}},
		{Zone: "example.com", Name: "deep.down", Type: "AAAA", TTL: 60, Values: []string{"2001:db8::1"}},
		{Zone: "example.com", Name: "bare", Type: "TXT", TTL: 60, Values: []string{"hello world"}},
		{Zone: "example.com", Name: "quoted", Type: "TXT", TTL: 60, Values: []string{`"hello world"`}},
		{Zone: "chat.example.com", Name: "@", Type: "A", TTL: 30, Values: []string{"203.0.113.3"}},
	}
	s, err := simdns.Start(t.Context(), "127.0.0.1:0", func() []api.RecordSet { return sets })
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })

	for name, c := range map[string]struct {
		question string
		kind     uint16
		rcode    int
		want     []string
	}{
		"apex":                    {"example.com.", dns.TypeA, dns.RcodeSuccess, []string{"example.com.\t60\tIN\tA\t203.0.113.1", "example.com.\t60\tIN\tA\t203.0.113.2"}},
		"case":                    {"EXAMPLE.com.", dns.TypeA, dns.RcodeSuccess, []string{"example.com.\t60\tIN\tA\t203.0.113.1", "example.com.\t60\tIN\tA\t203.0.113.2"}},
		"alias":                   {"www.example.com.", dns.TypeA, dns.RcodeSuccess, []string{"www.example.com.\t60\tIN\tCNAME\texample.com.", "example.com.\t60\tIN\tA\t203.0.113.1", "example.com.\t60\tIN\tA\t203.0.113.2"}},
		"longest zone":            {"chat.example.com.", dns.TypeA, dns.RcodeSuccess, []string{"chat.example.com.\t30\tIN\tA\t203.0.113.3"}},
		"ipv6":                    {"deep.down.example.com.", dns.TypeAAAA, dns.RcodeSuccess, []string{"deep.down.example.com.\t60\tIN\tAAAA\t2001:db8::1"}},
		"other type":              {"example.com.", dns.TypeAAAA, dns.RcodeSuccess, nil},
		"nothing but below":       {"down.example.com.", dns.TypeA, dns.RcodeSuccess, nil},
		"txt as DigitalOcean has": {"bare.example.com.", dns.TypeTXT, dns.RcodeSuccess, []string{"bare.example.com.\t60\tIN\tTXT\t\"hello world\""}},
		"txt as Hetzner has":      {"quoted.example.com.", dns.TypeTXT, dns.RcodeSuccess, []string{"quoted.example.com.\t60\tIN\tTXT\t\"hello world\""}},
		"no such name":            {"nope.example.com.", dns.TypeA, dns.RcodeNameError, nil},
		"no such zone":            {"example.org.", dns.TypeA, dns.RcodeRefused, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, network := range []string{"udp", "tcp"} {
				q := new(dns.Msg).SetQuestion(c.question, c.kind)
				m, _, err := (&dns.Client{Net: network}).ExchangeContext(t.Context(), q, s.Addr)
				require.NoError(t, err)
				require.Equal(t, dns.RcodeToString[c.rcode], dns.RcodeToString[m.Rcode])
				require.Equal(t, c.rcode != dns.RcodeRefused, m.Authoritative)
				var got []string
				for _, rr := range m.Answer {
					got = append(got, rr.String())
				}
				require.Equal(t, c.want, got)
			}
		})
	}
}
