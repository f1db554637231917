package container_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/construct-server/infra/sim/host"
	"github.com/construct-server/infra/sim/host/hosttest"
)

func firewall(t *testing.T, f *hosttest.Fleet, one *ssh.Client) {
	ctx := t.Context()
	addr := publicOf(t, "one")
	at := func(port string) string { return net.JoinHostPort(addr.String(), port) }
	if err := reach(at("8080")); err != nil {
		t.Fatalf("without a firewall: %v", err)
	}
	anywhere := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	rules := &host.Firewall{
		FilterInbound: true, FilterOutbound: true,
		Inbound: []host.Rule{
			{Protocol: "tcp", PortFrom: 22, PortTo: 22, Peers: anywhere},
			{Protocol: "tcp", PortFrom: 8081, PortTo: 8081, Peers: anywhere},
		},
	}
	set := func() {
		if err := f.SetFirewall(ctx, "one", rules); err != nil {
			t.Fatal(err)
		}
	}
	set()
	if err := reach(at("8080")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a port that is not admitted: %v, want silence", err)
	}
	if err := reach(at("8081")); err != nil {
		t.Errorf("an admitted port: %v", err)
	}
	two := f.Await(t, f.SSH(publicOf(t, "two")))
	dial := "timeout 3 bash -c '</dev/tcp/%s/8080' 2>&1 && echo open || echo shut"
	from := func(client *ssh.Client, to string) string {
		return strings.TrimSpace(run(t, client, strings.Replace(dial, "%s", to, 1)))
	}
	private := f.PrivateAddr(11).String()
	if got := from(two, private); got != "open" {
		t.Errorf("private traffic, which is not filtered: %s", got)
	}
	if got := from(two, addr.String()); !strings.HasSuffix(got, "shut") {
		t.Errorf("from another host, at the public address: %s", got)
	}
	rules.FilterPrivate = true
	set()
	if got := from(two, private); !strings.HasSuffix(got, "shut") {
		t.Errorf("private traffic, now filtered: %s", got)
	}
	reserved, err := f.NextPublic()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.AssignPublic(ctx, "one", reserved); err != nil {
		t.Fatal(err)
	}
	if err := reach(net.JoinHostPort(reserved.String(), "8080")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("at the further address: %v, want silence", err)
	}
	if got := strings.TrimSpace(run(t, one, "timeout 3 bash -c '</dev/tcp/"+publicOf(t, "two").String()+"/22' && echo open || echo shut")); got != "shut" {
		t.Errorf("outbound without a rule: %s", got)
	}
	if err := f.SetFirewall(ctx, "one", nil); err != nil {
		t.Fatal(err)
	}
	if err := reach(at("8080")); err != nil {
		t.Errorf("after the firewall was taken away: %v", err)
	}
	// Nothing leaves the machine, and a host learns that at once.
	start := time.Now()
	if got := run(t, two, "timeout 5 bash -c '</dev/tcp/100.64.0.1/443' 2>&1 || echo shut"); !strings.Contains(got, "unreachable") {
		t.Errorf("an address outside: %s after %v", got, time.Since(start))
	}
}

func reach(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, 2*time.Second)
	if err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() && !errors.Is(err, syscall.ECONNREFUSED) {
			return os.ErrDeadlineExceeded
		}
		return err
	}
	return conn.Close()
}
