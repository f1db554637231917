// Package addrpool hands out the public addresses of a simulated cloud.
//
// Addresses are given in order and an address that was returned is the last to
// be given again, so that a client that still retries an old address does not
// meet a new host there.
package addrpool

import (
	"fmt"
	"io"
	"net/netip"
	"sync"
)

// reserved is how many addresses at the start of a range are the simulator's
// own (host.Backend.PublicPrefix).
const reserved = 10

// Claim takes an address on the machine, so that no other process hands it
// out; closing the result gives it back. An error means that it is taken.
type Claim func(netip.Addr) (io.Closer, error)

// Pool is safe for concurrent use.
type Pool struct {
	prefix netip.Prefix
	claim  Claim

	mu   sync.Mutex
	last netip.Addr
	used map[netip.Addr]io.Closer
}

// New returns a pool over prefix (IPv4). A nil claim takes every address.
func New(prefix netip.Prefix, claim Claim) *Pool {
	p := &Pool{prefix: prefix.Masked(), claim: claim, used: map[netip.Addr]io.Closer{}}
	p.last = p.beforeFirst()
	return p
}

// Next reserves an address. It fails once all are in use.
func (p *Pool) Next() (netip.Addr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	addr := p.last
	for range 1 << (32 - p.prefix.Bits()) {
		addr = p.after(addr)
		if _, taken := p.used[addr]; taken {
			continue
		}
		closer, err := p.take(addr)
		if err != nil {
			continue // another process has it
		}
		p.used[addr], p.last = closer, addr
		return addr, nil
	}
	return netip.Addr{}, fmt.Errorf("reserve public address in %s: all are in use", p.prefix)
}

// Release gives an address back. Releasing one that is not in use does nothing.
func (p *Pool) Release(addr netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if closer := p.used[addr]; closer != nil {
		_ = closer.Close() // a socket that was never read: closing it cannot lose anything
	}
	delete(p.used, addr)
}

// Close gives every address back.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for addr, closer := range p.used {
		if closer != nil {
			_ = closer.Close()
		}
		delete(p.used, addr)
	}
}

func (p *Pool) take(addr netip.Addr) (io.Closer, error) {
	if p.claim == nil {
		return nil, nil
	}
	return p.claim(addr)
}

func (p *Pool) beforeFirst() netip.Addr {
	addr := p.prefix.Addr()
	for range reserved - 1 {
		addr = addr.Next()
	}
	return addr
}

// after returns the address that follows addr, skipping the broadcast address
// and wrapping to the first one that may be handed out.
func (p *Pool) after(addr netip.Addr) netip.Addr {
	next := addr.Next()
	if !p.prefix.Contains(next) || !p.prefix.Contains(next.Next()) {
		return p.beforeFirst().Next()
	}
	return next
}
