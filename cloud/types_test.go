package cloud

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRecordIsRelativeToItsZone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ domain, zone, want string }{
		{"chat.example.com", "chat.example.com", "@"},
		{"chat.example.com", "example.com", "chat"},
		{"a.b.example.com", "example.com", "a.b"},
	} {
		assert.Equal(t, c.want, (&DNSArgs{Domain: c.domain, Zone: c.zone}).Record())
	}
}
