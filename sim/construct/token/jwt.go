package token

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/construct-server/infra/sim/construct/settings"
)

// ErrNoPrivateKey is what issuing gives in a service that was started verify-only.
var ErrNoPrivateKey = errors.New("JWT_PRIVATE_KEY is not set: this service can only verify")

// Keys signs and verifies user tokens.
type Keys struct {
	public  *rsa.PublicKey
	private *rsa.PrivateKey
	issuer  string
	access  time.Duration
	refresh time.Duration
}

// Claims are a user token's contents.
type Claims struct {
	jwt.RegisteredClaims
	Kind     string `json:"typ"` // "access" or "refresh"
	DeviceID string `json:"device_id,omitempty"`
}

// Pair is what registration and refresh return.
type Pair struct {
	Access, Refresh     string
	AccessID, RefreshID string // jti
	AccessTTL           time.Duration
	RefreshTTL          time.Duration
}

// NewKeys parses the key material, which settings has checked already.
func NewKeys(c settings.JWT) (*Keys, error) {
	k := &Keys{issuer: c.Issuer, access: c.AccessTTL, refresh: c.RefreshTTL}
	var err error
	if k.public, err = jwt.ParseRSAPublicKeyFromPEM(c.PublicPEM); err != nil {
		return nil, fmt.Errorf("parse JWT_PUBLIC_KEY: %w", err)
	}
	if c.PrivatePEM == nil {
		return k, nil
	}
	if k.private, err = jwt.ParseRSAPrivateKeyFromPEM(c.PrivatePEM); err != nil {
		return nil, fmt.Errorf("parse JWT_PRIVATE_KEY: %w", err)
	}
	return k, nil
}

// Issue mints an access and a refresh token for a user's device.
func (k *Keys) Issue(userID, deviceID string) (Pair, error) {
	if k.private == nil {
		return Pair{}, ErrNoPrivateKey
	}
	p := Pair{AccessID: uuid.NewString(), RefreshID: uuid.NewString(), AccessTTL: k.access, RefreshTTL: k.refresh}
	var err error
	if p.Access, err = k.sign(userID, deviceID, "access", p.AccessID, k.access); err != nil {
		return Pair{}, err
	}
	if p.Refresh, err = k.sign(userID, deviceID, "refresh", p.RefreshID, k.refresh); err != nil {
		return Pair{}, err
	}
	return p, nil
}

func (k *Keys) sign(userID, deviceID, kind, id string, ttl time.Duration) (string, error) {
	now := time.Now()
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, Claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: k.issuer, Subject: userID, ID: id,
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
		},
		Kind: kind, DeviceID: deviceID,
	})
	s, err := t.SignedString(k.private)
	if err != nil {
		return "", fmt.Errorf("sign %s token: %w", kind, err)
	}
	return s, nil
}

// Verify checks signature, algorithm, issuer, expiry and kind.
func (k *Keys) Verify(raw, kind string) (*Claims, error) {
	c := &Claims{}
	_, err := jwt.ParseWithClaims(raw, c, func(*jwt.Token) (any, error) { return k.public, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(k.issuer), jwt.WithExpirationRequired())
	if err != nil {
		return nil, fmt.Errorf("verify token: %w", err)
	}
	if c.Kind != kind {
		return nil, fmt.Errorf("token is of kind %q (want %q)", c.Kind, kind)
	}
	return c, nil
}
