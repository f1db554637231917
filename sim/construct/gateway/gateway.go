package gateway

import (
	"bytes"
	"errors"
	"io"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/construct-server/infra/sim/construct/settings"
	"github.com/construct-server/infra/sim/construct/token"
	"github.com/construct-server/infra/sim/construct/web"
)

// Gateway routes requests to the services.
type Gateway struct {
	conf       *settings.Config
	redis      *redis.Client
	keys       *token.Keys
	client     *http.Client
	csrfSecret []byte
	breakers   map[string]*breaker
	metrics    metrics
	now        func() time.Time
}

// New makes the gateway; r is the Redis in which auth marks revoked tokens.
func New(conf *settings.Config, r *redis.Client, keys *token.Keys) *Gateway {
	g := &Gateway{
		conf: conf, redis: r, keys: keys,
		client: &http.Client{
			Timeout:       conf.ServiceTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		csrfSecret: []byte(conf.CSRF.Secret),
		breakers:   map[string]*breaker{},
		now:        time.Now,
	}
	if len(g.csrfSecret) == 0 {
		g.csrfSecret = randomSecret()
	}
	for service := range conf.ServiceURLs {
		g.breakers[service] = newBreaker(conf)
	}
	return g
}

// Handler wraps every route in CSRF check, rate limit and token check.
func (g *Gateway) Handler(id web.Identity) http.Handler {
	mux := http.NewServeMux()
	id.Health(mux, "/health", "/health/ready", "/health/live")
	mux.HandleFunc("GET /metrics", g.writeMetrics)
	mux.HandleFunc("/api/v1/", g.forward)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { web.Error(w, http.StatusNotFound, "not found") })
	return g.checkCSRF(g.limitIP(g.authenticate(mux)))
}

// authenticate lets public paths pass as they are, with whatever X-User-Id
// the client sent; elsewhere the header becomes the token's subject.
func (g *Gateway) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if Public(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		raw, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok {
			web.Error(w, http.StatusUnauthorized, "missing bearer token")
			return
		}
		c, err := g.keys.Verify(raw, "access")
		if err != nil {
			web.Error(w, http.StatusUnauthorized, "invalid token")
			return
		}
		revoked, err := g.redis.Exists(r.Context(), "invalidated_token:"+c.ID).Result()
		if err != nil {
			web.Internal(w, "look up revocation", err)
			return
		}
		if revoked > 0 {
			web.Error(w, http.StatusUnauthorized, "token is revoked")
			return
		}
		if !g.within(r.Context(), "rate:user:"+c.Subject+":"+clientIP(r), g.conf.Limits.PerUserIPPerHour) {
			web.Error(w, http.StatusTooManyRequests, "too many requests")
			return
		}
		r.Header.Set("X-User-Id", c.Subject)
		next.ServeHTTP(w, r)
	})
}

// forward buffers the whole request and the whole response: no streaming.
func (g *Gateway) forward(w http.ResponseWriter, r *http.Request) {
	service, ok := Target(r.URL.Path)
	switch {
	case !g.conf.MicroservicesEnabled:
		web.Error(w, http.StatusServiceUnavailable, "MICROSERVICES_ENABLED is not true")
		return
	case !ok:
		web.Error(w, http.StatusNotFound, "not found")
		return
	case !g.breakers[service].allow(g.now()):
		g.metrics.observe(service, http.StatusServiceUnavailable, 0)
		web.Error(w, http.StatusServiceUnavailable, "%s is unavailable", service)
		return
	}
	start := g.now()
	status := g.proxy(w, r, service)
	g.breakers[service].done(status < http.StatusInternalServerError, g.now())
	g.metrics.observe(service, status, g.now().Sub(start))
}

// proxy returns the status that it answered.
func (g *Gateway) proxy(w http.ResponseWriter, r *http.Request, service string) int {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		web.Error(w, http.StatusBadRequest, "body broke off")
		return http.StatusBadRequest
	}
	url := strings.TrimSuffix(g.conf.ServiceURLs[service], "/") + r.URL.RequestURI()
	out, err := http.NewRequestWithContext(r.Context(), r.Method, url, bytes.NewReader(body))
	if err != nil {
		web.Internal(w, "build request to "+service, err)
		return http.StatusInternalServerError
	}
	out.Header = r.Header.Clone()
	for _, h := range []string{"Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "Te"} {
		out.Header.Del(h)
	}
	resp, err := g.client.Do(out)
	if err != nil {
		return g.unreachable(w, service, err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return g.unreachable(w, service, err)
	}
	for k, v := range resp.Header {
		w.Header()[k] = v
	}
	w.WriteHeader(resp.StatusCode)
	if _, err := w.Write(answer); err != nil {
		log.Printf("write response of %s: %v", service, err)
	}
	return resp.StatusCode
}

func (g *Gateway) unreachable(w http.ResponseWriter, service string, err error) int {
	log.Printf("call %s: %v", service, err)
	status := http.StatusBadGateway
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		status = http.StatusGatewayTimeout
	}
	web.Error(w, status, "%s does not answer", service)
	return status
}
