package stacks

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

const (
	scramMark       = "SCRAM-SHA-256$"
	scramIterations = 4096 // PostgreSQL's default
)

// scramVerifier is a password as PostgreSQL keeps it (RFC 5803). With it a role
// can be given a password that its server never sees. The salt follows from the
// key, so that equal settings give equal files. Passwords are ASCII, so that
// SASLprep changes nothing.
func scramVerifier(key []byte, role, password string) (string, error) {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("scram salt\x00" + role + "\x00" + password))
	salt := mac.Sum(nil)[:16]
	salted, err := pbkdf2.Key(sha256.New, password, salt, scramIterations, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("hash password of %q: %w", role, err)
	}
	stored := sha256.Sum256(keyed(salted, "Client Key"))
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%s%d:%s$%s:%s", scramMark, scramIterations, encode(salt), encode(stored[:]), encode(keyed(salted, "Server Key"))), nil
}

func keyed(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
