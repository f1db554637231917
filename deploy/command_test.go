package deploy

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestJoinText(t *testing.T) {
	t.Parallel()
	text, err := joinText([]string{"release abc", "redis redis:7 1f2e"}, "exec sudo run", []string{"apply", "a b"})
	require.NoError(t, err)
	assert.Equal(t, "# release abc\n# redis redis:7 1f2e\nexec sudo run apply 'a b'", text)
}

func TestJoinTextRefusesLineBreaks(t *testing.T) {
	t.Parallel()
	_, err := joinText([]string{"redis redis:7\nreboot"}, "exec true", nil)
	require.ErrorContains(t, err, "control character in")
	_, err = joinText(nil, "exec true", []string{"a\nreboot"})
	require.ErrorContains(t, err, "control character in")
}

func TestDockerPool(t *testing.T) {
	t.Parallel()
	for private, want := range map[string]string{
		"10.20.0.0/24":   "172.24.0.0/16",
		"172.24.3.0/24":  "192.168.192.0/18",
		"172.16.0.0/12":  "192.168.192.0/18",
		"192.168.0.0/16": "172.24.0.0/16",
	} {
		pool, err := dockerPool(netip.MustParsePrefix(private))
		require.NoError(t, err)
		assert.Equal(t, want, pool.String(), "beside %s", private)
	}
	_, err := dockerPool(netip.MustParsePrefix("0.0.0.0/0"))
	require.ErrorContains(t, err, "overlaps all of")
}
