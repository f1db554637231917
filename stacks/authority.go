package stacks

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	encoding "encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// authority signs the fleet's own certificates. Its key and every key that it
// certifies are derived from Deployment.Seed, so that rendering stays a pure
// function, no key is kept in Pulumi's state on its own, and clients can verify
// a server that did not exist when they were rendered.
type authority struct {
	seed []byte
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// The certificates never expire in practice: what ends them is a new seed. A
// date of their own would need a clock, and a restart of the database to renew.
var (
	certifiedFrom = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	certifiedTo   = time.Date(2126, time.January, 1, 0, 0, 0, 0, time.UTC)
)

func newAuthority(seed []byte) (*authority, error) {
	key, err := deriveKey(seed, "authority")
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Construct internal"},
		NotBefore: certifiedFrom, NotAfter: certifiedTo,
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := sign(template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("parse certificate of the authority: %w", err)
	}
	return &authority{seed: seed, cert: cert, key: key}, nil
}

// root is the certificate by which clients verify the others, in PEM.
func (a *authority) root() []byte { return encodePEM("CERTIFICATE", a.cert.Raw) }

// issue returns a server's certificate for one host name and its key, in PEM.
func (a *authority) issue(host string) (cert, key []byte, err error) {
	private, err := deriveKey(a.seed, "server "+host)
	if err != nil {
		return nil, nil, err
	}
	serial := sha256.Sum256([]byte(host))
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial[:15]), Subject: pkix.Name{CommonName: host},
		DNSNames: []string{host}, NotBefore: certifiedFrom, NotAfter: certifiedTo, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := sign(template, a.cert, &private.PublicKey, a.key)
	if err != nil {
		return nil, nil, err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, fmt.Errorf("encode key of %q: %w", host, err)
	}
	return encodePEM("CERTIFICATE", der), encodePEM("PRIVATE KEY", encoded), nil
}

// sign names the key itself, since Go's own way to do so has changed before,
// and gives no randomness, so that the signature is RFC 6979's: a certificate
// that differs would restart the database.
func sign(template, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) ([]byte, error) {
	point, err := public.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encode key of %q: %w", template.Subject.CommonName, err)
	}
	id := sha256.Sum256(point)
	template.SubjectKeyId = id[:20]
	der, err := x509.CreateCertificate(nil, template, parent, public, key)
	if err != nil {
		return nil, fmt.Errorf("sign certificate of %q: %w", template.Subject.CommonName, err)
	}
	return der, nil
}

// deriveKey is on P-256, which every client knows; PostgreSQL's channel binding
// does not work with Ed25519.
func deriveKey(seed []byte, purpose string) (*ecdsa.PrivateKey, error) {
	raw, err := hkdf.Key(sha256.New, seed, nil, "construct key of "+purpose, 32)
	if err != nil {
		return nil, fmt.Errorf("derive key of %s: %w", purpose, err)
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
	if err != nil { // of 2^32 seeds, one
		return nil, fmt.Errorf("derive key of %s: %w", purpose, err)
	}
	return key, nil
}

// derivePassword is a password that nobody chose, for accounts that exist on
// one host only. 43 characters, as safe in a URL as in a shell.
func derivePassword(seed []byte, purpose string) (string, error) {
	raw, err := hkdf.Key(sha256.New, seed, nil, "construct password of "+purpose, 32)
	if err != nil {
		return "", fmt.Errorf("derive password of %s: %w", purpose, err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

func encodePEM(kind string, der []byte) []byte {
	return encoding.EncodeToMemory(&encoding.Block{Type: kind, Bytes: der})
}
