package addrpool

import (
	"errors"
	"io"
	"net/netip"
	"testing"
)

func TestNext(t *testing.T) {
	t.Parallel()
	pool := New(netip.MustParsePrefix("203.0.113.0/28"), nil) // .10 to .14
	var got []string
	for range 5 {
		addr, err := pool.Next()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, addr.String())
	}
	if got[0] != "203.0.113.10" || got[4] != "203.0.113.14" {
		t.Errorf("handed out %v, want .10 to .14", got)
	}
	if addr, err := pool.Next(); err == nil {
		t.Fatalf("a full pool handed out %s", addr)
	}
	pool.Release(netip.MustParseAddr("203.0.113.12"))
	if addr, err := pool.Next(); err != nil || addr.String() != "203.0.113.12" {
		t.Errorf("after a release: %s, %v, want the one released", addr, err)
	}
}

func TestReleasedAddressComesLast(t *testing.T) {
	t.Parallel()
	pool := New(netip.MustParsePrefix("203.0.113.0/24"), nil)
	first, _ := pool.Next()
	pool.Release(first)
	if second, err := pool.Next(); err != nil || second == first {
		t.Errorf("got %s again at once (%v)", second, err)
	}
}

func TestClaimRefused(t *testing.T) {
	t.Parallel()
	taken := netip.MustParseAddr("203.0.113.10")
	pool := New(netip.MustParsePrefix("203.0.113.0/24"), func(a netip.Addr) (io.Closer, error) {
		if a == taken {
			return nil, errors.New("in use by another process")
		}
		return io.NopCloser(nil), nil
	})
	if addr, err := pool.Next(); err != nil || addr == taken {
		t.Errorf("got %s, %v, want the one after %s", addr, err, taken)
	}
}
