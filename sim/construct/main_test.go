package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestServiceName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"/usr/local/bin/auth-service"}, "auth-service"},
		{[]string{"gateway", "--ignored"}, "gateway"},
		{[]string{"construct", "delivery-worker"}, "delivery-worker"},
		{[]string{"construct"}, ""},
		{[]string{"construct", "construct-server"}, ""},
	} {
		got, err := serviceName(tt.args)
		require.Equal(t, tt.want, got)
		require.Equal(t, tt.want == "", err != nil)
	}
}
