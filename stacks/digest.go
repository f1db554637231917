package stacks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// digest is a keyed hash over parts, each counted, so that no two lists of
// parts run together. It is keyed because digests are public and some parts
// are secrets.
func (r *renderer) digest(parts ...string) string {
	mac := hmac.New(sha256.New, r.d.DigestKey)
	for _, p := range parts {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(p)))
		mac.Write(size[:])
		mac.Write([]byte(p))
	}
	return hex.EncodeToString(mac.Sum(nil))
}
