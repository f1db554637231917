package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// NewUpload mints an upload token for a user under the shared secret.
func NewUpload(secret, userID string) string {
	body := base64.RawURLEncoding.EncodeToString([]byte(userID + ":" + uuid.NewString()))
	return body + "." + uploadMAC(secret, body)
}

// CheckUpload returns the user an upload token was minted for. A token is
// good for ever and for any number of uploads.
func CheckUpload(secret, raw string) (string, error) {
	body, mac, ok := strings.Cut(raw, ".")
	if !ok || !hmac.Equal([]byte(mac), []byte(uploadMAC(secret, body))) {
		return "", errors.New("upload token does not match the secret")
	}
	b, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return "", fmt.Errorf("decode upload token: %w", err)
	}
	user, _, _ := strings.Cut(string(b), ":")
	return user, nil
}

func uploadMAC(secret, body string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(body))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}
