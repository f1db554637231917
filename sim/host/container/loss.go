package container

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// loss is a table of the bridge family, where each packet is met once: on its
// way from the machine to a host (output), from a host to the machine (input), or
// from host to host (forward). Above the bridge, whoever sent a packet would be
// told that it was dropped.
const loss = `table bridge %[1]s
delete table bridge %[1]s
table bridge %[1]s {
	chain lose {
		numgen random mod 100 < %[2]d drop
	}
	chain own {
		ip saddr { %[3]s } goto lose
		ip daddr { %[3]s } goto lose
	}
	chain forward {
		type filter hook forward priority 0; policy accept
		jump own
	}
	chain output {
		type filter hook output priority 0; policy accept
		jump own
	}
	chain input {
		type filter hook input priority 0; policy accept
		jump own
	}
}
`

// LosePackets drops that share of the IPv4 packets, in percent, on the public and
// every private network, in each direction; 0 ends it.
func (b *Backend) LosePackets(ctx context.Context, percent int) error {
	if percent < 0 || percent > 100 {
		return fmt.Errorf("lose packets: %d percent (want 0 to 100)", percent)
	}
	b.mu.Lock()
	b.loss = percent
	b.mu.Unlock()
	return b.applyLoss(ctx)
}

// applyLoss loads what LosePackets asked for, for the networks that there are.
func (b *Backend) applyLoss(ctx context.Context) error {
	b.nft.Lock()
	defer b.nft.Unlock()
	b.mu.Lock()
	percent, prefixes := b.loss, []string{b.opts.Prefix.String()}
	for _, n := range b.networks {
		prefixes = append(prefixes, n.Prefix.Masked().String())
	}
	b.mu.Unlock()
	slices.Sort(prefixes)
	rules := fmt.Sprintf(loss, b.helper.table(), percent, strings.Join(slices.Compact(prefixes), ", "))
	if percent == 0 { // the first line makes the second valid when there is no table
		rules = fmt.Sprintf("table bridge %[1]s\ndelete table bridge %[1]s\n", b.helper.table())
	}
	if err := b.helper.loadRules(ctx, rules); err != nil {
		return fmt.Errorf("lose packets: %w", err)
	}
	return nil
}
