package gateway

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/construct-server/infra/sim/construct/web"
)

// clientIP is the first X-Forwarded-For hop, which the caller can forge
// unless the edge replaces the header. Callers without one share a bucket.
func clientIP(r *http.Request) string {
	ip, _, _ := strings.Cut(r.Header.Get("X-Forwarded-For"), ",")
	if ip = strings.TrimSpace(ip); ip != "" {
		return ip
	}
	return "unknown"
}

// within counts one request against a per-hour limit. A Redis that does not
// answer lets the request pass.
func (g *Gateway) within(ctx context.Context, key string, limit int) bool {
	n, err := g.redis.Incr(ctx, key).Result()
	if err != nil {
		log.Printf("count request: %v", err)
		return true
	}
	if n == 1 {
		g.redis.Expire(ctx, key, time.Hour)
	}
	return n <= int64(limit)
}

// limitIP wraps every route, health and metrics included.
func (g *Gateway) limitIP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.within(r.Context(), "rate:ip:"+clientIP(r), g.conf.Limits.PerIPPerHour) {
			web.Error(w, http.StatusTooManyRequests, "too many requests")
			return
		}
		next.ServeHTTP(w, r)
	})
}

const csrfCookie, csrfHeader = "csrf_token", "X-CSRF-Token"

// csrfMAC binds a nonce to the secret: the cookie is "nonce.mac".
func (g *Gateway) csrfMAC(nonce string) string {
	m := hmac.New(sha256.New, g.csrfSecret)
	m.Write([]byte(nonce))
	return hex.EncodeToString(m.Sum(nil))
}

// checkCSRF asks a changing request that carries cookies, and no bearer
// token, for the signed cookie's value in a header.
func (g *Gateway) checkCSRF(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		safe := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
		if !g.conf.CSRF.Enabled || safe || len(r.Cookies()) == 0 || r.Header.Get("Authorization") != "" {
			next.ServeHTTP(w, r)
			return
		}
		c, err := r.Cookie(csrfCookie)
		if err == nil && c.Value == r.Header.Get(csrfHeader) {
			nonce, mac, _ := strings.Cut(c.Value, ".")
			if hmac.Equal([]byte(mac), []byte(g.csrfMAC(nonce))) {
				next.ServeHTTP(w, r)
				return
			}
		}
		web.Error(w, http.StatusForbidden, "CSRF token is missing or wrong")
	})
}

// randomSecret serves a process without CSRF_SECRET: its tokens die with it.
func randomSecret() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return b
}
