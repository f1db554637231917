// Package token issues and checks the two kinds of token the services use:
// RS256 JSON web tokens for users, and HMAC tokens that admit one upload to
// the media service (and, as in the real service, never expire).
package token
