package configtest

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/construct-server/infra/config"
	"golang.org/x/crypto/ssh"
)

// keyMaterial stands for ${name} in the corpus, so that no key, not even a
// worthless one, is kept in the repository.
type keyMaterial struct {
	secrets config.Secrets
	text    map[string]string
}

// material is made once, since RSA keys take a while.
var material = sync.OnceValues(newMaterial)

func newMaterial() (*keyMaterial, error) {
	m := &keyMaterial{text: map[string]string{}}
	var err error
	if m.secrets, err = config.GenerateSecrets(); err != nil {
		return nil, err
	}
	for _, step := range []func() error{m.addRSA, m.addSSH, m.addEC} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("make test keys: %w", err)
		}
	}
	return m, nil
}

func (m *keyMaterial) expand(text string, quote func(string) string) string {
	for name, value := range m.text {
		text = strings.ReplaceAll(text, "${"+name+"}", quote(value))
	}
	return text
}

func (m *keyMaterial) set(name, blockType string, der []byte) {
	m.text[name] = string(pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der}))
}

// addRSA adds another token key pair and one that is too short.
func (m *keyMaterial) addRSA() error {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	m.set("rsaPrivatePKCS1", "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(other))
	m.set("rsaPublicPKCS1", "RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&other.PublicKey))
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		return err
	}
	m.set("shortPrivate", "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(short))
	m.set("shortPublic", "RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&short.PublicKey))
	public, err := ssh.NewPublicKey(&short.PublicKey)
	if err != nil {
		return err
	}
	m.text["sshShortPublic"] = strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
	return nil
}

// addSSH adds an operator's key pair, its private key also behind a passphrase.
func (m *keyMaterial) addSSH() error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	line, err := ssh.NewPublicKey(public)
	if err != nil {
		return err
	}
	m.text["sshPublic"] = strings.TrimSpace(string(ssh.MarshalAuthorizedKey(line)))
	if err := m.addOperator(line); err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return err
	}
	m.set("sshPrivate", block.Type, block.Bytes)
	if block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte("secret")); err != nil {
		return err
	}
	m.set("sshLockedPrivate", block.Type, block.Bytes)
	return nil
}

// addOperator adds somebody else's key, and a certificate for one of them.
func (m *keyMaterial) addOperator(first ssh.PublicKey) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	line, err := ssh.NewPublicKey(public)
	if err != nil {
		return err
	}
	m.text["sshOtherPublic"] = strings.TrimSpace(string(ssh.MarshalAuthorizedKey(line)))
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		return err
	}
	certificate := &ssh.Certificate{Key: first, CertType: ssh.UserCert, ValidBefore: ssh.CertTimeInfinity}
	if err := certificate.SignCert(rand.Reader, signer); err != nil {
		return err
	}
	m.text["sshCertificate"] = strings.TrimSpace(string(ssh.MarshalAuthorizedKey(certificate)))
	return nil
}

// addEC adds a key as Apple issues it and a certificate authority.
func (m *keyMaterial) addEC() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	m.set("ecPrivate", "PRIVATE KEY", der)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().AddDate(1, 0, 0), IsCA: true}
	if der, err = x509.CreateCertificate(rand.Reader, template, template, key.Public(), key); err != nil {
		return err
	}
	m.set("certificate", "CERTIFICATE", der)
	return nil
}
