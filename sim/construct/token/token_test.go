package token_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/sim/construct/settings"
	"github.com/construct-server/infra/sim/construct/token"
)

func conf(t *testing.T) settings.JWT {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	pub, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	require.NoError(t, err)
	return settings.JWT{
		PublicPEM:  pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub}),
		PrivatePEM: pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)}),
		Issuer:     "construct-server", AccessTTL: time.Hour, RefreshTTL: time.Hour,
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	good := conf(t)
	keys, err := token.NewKeys(good)
	require.NoError(t, err)
	pair, err := keys.Issue("alice", "phone")
	require.NoError(t, err)
	c, err := keys.Verify(pair.Access, "access")
	require.NoError(t, err)
	require.Equal(t, "alice", c.Subject)
	require.Equal(t, pair.AccessID, c.ID)

	_, err = keys.Verify(pair.Refresh, "access")
	require.ErrorContains(t, err, "kind", "a refresh token opens nothing")
	other, err := token.NewKeys(conf(t))
	require.NoError(t, err)
	_, err = other.Verify(pair.Access, "access")
	require.Error(t, err, "another key")
	foreign := good
	foreign.Issuer = "someone-else"
	k, err := token.NewKeys(foreign)
	require.NoError(t, err)
	_, err = k.Verify(pair.Access, "access")
	require.Error(t, err, "another issuer")
	expired := good
	expired.AccessTTL = -time.Minute
	k, err = token.NewKeys(expired)
	require.NoError(t, err)
	old, err := k.Issue("alice", "phone")
	require.NoError(t, err)
	_, err = keys.Verify(old.Access, "access")
	require.Error(t, err, "expired")
}

func TestIssueWithoutPrivateKey(t *testing.T) {
	t.Parallel()
	c := conf(t)
	c.PrivatePEM = nil
	keys, err := token.NewKeys(c)
	require.NoError(t, err, "a service without it starts")
	_, err = keys.Issue("alice", "phone")
	require.ErrorIs(t, err, token.ErrNoPrivateKey)
}

func TestUpload(t *testing.T) {
	t.Parallel()
	raw := token.NewUpload("secret", "alice")
	user, err := token.CheckUpload("secret", raw)
	require.NoError(t, err)
	require.Equal(t, "alice", user)
	for _, bad := range []string{"", "x", raw + "x", "a." + raw} {
		_, err := token.CheckUpload("secret", bad)
		require.Error(t, err, bad)
	}
}
