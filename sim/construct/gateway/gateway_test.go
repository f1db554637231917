package gateway

import (
	"bufio"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/sim/construct/settings"
	"github.com/construct-server/infra/sim/construct/token"
	"github.com/construct-server/infra/sim/construct/web"
)

func TestTarget(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/api/v1/auth/challenge":                "auth-service",
		"/api/v1/users/profile":                 "user-service",
		"/api/v1/account":                       "user-service",
		"/api/v1/keys/upload":                   "user-service",
		"/api/v1/messages":                      "messaging-service",
		"/api/v1/media/token":                   "messaging-service",
		"/api/v1/notifications/register-device": "notification-service",
		"/api/v1/invites/x":                     "",
		"/api/v1/control":                       "",
		"/messages/send":                        "",
		"/api/v1/messagesx":                     "",
		"/.well-known/jwks.json":                "",
	} {
		got, _ := Target(path)
		require.Equal(t, want, got, path)
	}
}

func TestPublic(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/health": true, "/health/live": true, "/api/v1/auth/register-device": true,
		"/api/v1/users/username/availability": true,
		"/metrics":                            false, "/api/v1/auth/refresh": false, "/api/v1/auth/logout": false, "/api/v1/messages": false,
	} {
		require.Equal(t, want, Public(path), path)
	}
}

// gatewayTo is a gateway whose services all live at backend. Its Redis does
// not answer, which must not stop public requests.
func gatewayTo(t *testing.T, backend string, enabled bool) *Gateway {
	t.Helper()
	urls := map[string]string{}
	for _, s := range settings.Services() {
		urls[s] = backend
	}
	r := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", DialTimeout: time.Millisecond, MaxRetries: -1})
	t.Cleanup(func() { _ = r.Close() })
	return New(&settings.Config{
		ServiceURLs: urls, MicroservicesEnabled: enabled, ServiceTimeout: time.Second, BreakerFailures: 2,
		BreakerSuccesses: 1, BreakerTimeout: time.Minute, CSRF: settings.CSRF{Enabled: true},
		Limits: settings.Limits{PerIPPerHour: 1000, PerUserIPPerHour: 500},
	}, r, nil)
}

func get(h http.Handler, method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestHandler(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Path+" as "+r.Header.Get("X-User-Id"))
	}))
	t.Cleanup(backend.Close)
	h := gatewayTo(t, backend.URL, true).Handler(web.Identity{Service: "gateway"})
	off := gatewayTo(t, backend.URL, false).Handler(web.Identity{Service: "gateway"})
	require.Equal(t, 200, get(h, "GET", "/health").Code)
	require.Equal(t, 200, get(off, "GET", "/health").Code)
	require.Equal(t, 401, get(h, "GET", "/metrics").Code)
	require.Equal(t, 401, get(h, "GET", "/api/v1/messages").Code)
	require.Equal(t, 503, get(off, "POST", "/api/v1/auth/challenge").Code)
	require.Equal(t, "/api/v1/auth/challenge as forged", get(h, "POST", "/api/v1/auth/challenge", "X-User-Id", "forged").Body.String(),
		"on public paths the client's header passes: the edge has to strip it")
	require.Equal(t, 403, get(h, "POST", "/api/v1/auth/challenge", "Cookie", "a=b").Code)
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	b := newBreaker(&settings.Config{BreakerFailures: 2, BreakerSuccesses: 2, BreakerTimeout: time.Minute})
	now := time.Now()
	b.done(false, now)
	require.True(t, b.allow(now))
	b.done(false, now)
	require.False(t, b.allow(now.Add(59*time.Second)))
	require.True(t, b.allow(now.Add(time.Minute)))
	require.Equal(t, halfOpen, b.current())
	b.done(true, now)
	require.Equal(t, halfOpen, b.current())
	b.done(true, now)
	require.Equal(t, closed, b.current())
}

func TestHealthFault(t *testing.T) {
	t.Parallel()
	h := gatewayTo(t, "http://127.0.0.1:1", true).Handler(web.Identity{Service: "gateway", Fault: "broken-health"})
	require.Equal(t, 500, get(h, "GET", "/health").Code)
	require.Equal(t, 502, get(h, "POST", "/api/v1/auth/challenge").Code)
}

// emptyRedis answers as a server that holds nothing, and counts INCRs by key.
func emptyRedis(t *testing.T) (*redis.Client, func(key string) int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	var mu sync.Mutex
	counts := map[string]int{}
	answer := func(words []string) string {
		mu.Lock()
		defer mu.Unlock()
		switch strings.ToUpper(words[0]) {
		case "INCR":
			counts[words[1]]++
			return fmt.Sprintf(":%d\r\n", counts[words[1]])
		case "EXISTS", "EXPIRE":
			return ":0\r\n"
		case "HELLO":
			return "-ERR unknown command\r\n"
		default:
			return "+OK\r\n"
		}
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go speakRedis(c, answer)
		}
	}()
	r := redis.NewClient(&redis.Options{Addr: l.Addr().String()})
	t.Cleanup(func() { _ = r.Close() })
	return r, func(key string) int {
		mu.Lock()
		defer mu.Unlock()
		return counts[key]
	}
}

// speakRedis reads commands, arrays of strings, and writes what answer says.
func speakRedis(c net.Conn, answer func(words []string) string) {
	defer func() { _ = c.Close() }()
	for in := bufio.NewReader(c); ; {
		var n int
		if _, err := fmt.Fscanf(in, "*%d\r\n", &n); err != nil {
			return
		}
		words := make([]string, n)
		for i := range words {
			var length int
			if _, err := fmt.Fscanf(in, "$%d\r\n", &length); err != nil {
				return
			}
			text := make([]byte, length+2)
			if _, err := io.ReadFull(in, text); err != nil {
				return
			}
			words[i] = string(text[:length])
		}
		if _, err := io.WriteString(c, answer(words)); err != nil {
			return
		}
	}
}

func keyPair(t *testing.T) *token.Keys {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	require.NoError(t, err)
	keys, err := token.NewKeys(settings.JWT{
		PublicPEM:  pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}),
		PrivatePEM: pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)}),
		Issuer:     "construct-server", AccessTTL: time.Hour, RefreshTTL: time.Hour,
	})
	require.NoError(t, err)
	return keys
}

// The edge asks /metrics whether a token is of this gateway's pair. The question
// counts by address always, by user only where the token is good: the real
// gateway does the same, and its limits are set for it.
func TestMetricsTellWhoseATokenIs(t *testing.T) {
	t.Parallel()
	own, other := keyPair(t), keyPair(t)
	good, err := own.Issue("alice", "phone")
	require.NoError(t, err)
	foreign, err := other.Issue("alice", "phone")
	require.NoError(t, err)
	g := gatewayTo(t, "http://127.0.0.1:1", true)
	r, counted := emptyRedis(t)
	g.redis, g.keys = r, own
	h := g.Handler(web.Identity{Service: "gateway"})
	for bearer, want := range map[string]int{good.Access: 200, foreign.Access: 401, good.Refresh: 401, "forged": 401} {
		require.Equal(t, want, get(h, "GET", "/metrics", "Authorization", "Bearer "+bearer, "X-Forwarded-For", "192.0.2.1").Code)
	}
	require.Equal(t, 401, get(h, "GET", "/metrics").Code)
	require.Equal(t, 4, counted("rate:ip:192.0.2.1"))
	require.Equal(t, 1, counted("rate:user:alice:192.0.2.1"))
}
