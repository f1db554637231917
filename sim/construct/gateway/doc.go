// Package gateway is the stand-in's public entry: it verifies the user's
// token, overwrites X-User-Id and forwards /api/v1/* by prefix. Nothing behind
// it checks anything again.
package gateway
