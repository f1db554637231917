package service

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/construct-server/infra/sim/construct/settings"
	"github.com/construct-server/infra/sim/construct/token"
	"github.com/construct-server/infra/sim/construct/web"
)

// Auth registers devices and hands out tokens.
type Auth struct {
	Config *settings.Config
	DB     *pgxpool.Pool
	Redis  *redis.Client
	Keys   *token.Keys
}

// Register adds the routes to mux.
func (a *Auth) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/v1/auth/challenge", a.challenge)
	mux.HandleFunc("POST /api/v1/auth/challenge", a.challenge)
	mux.HandleFunc("POST /api/v1/auth/register-device", a.register)
	mux.HandleFunc("POST /api/v1/auth/device", a.device)
	mux.HandleFunc("POST /api/v1/auth/refresh", a.refresh)
	mux.HandleFunc("POST /api/v1/auth/logout", a.logout)
	mux.HandleFunc("GET /public-key", func(w http.ResponseWriter, _ *http.Request) {
		// The raw variable, even where that is a path: so does the real one.
		web.JSON(w, http.StatusOK, map[string]string{"publicKey": a.Config.JWT.PublicKey})
	})
}

func (a *Auth) challenge(w http.ResponseWriter, r *http.Request) {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		web.Internal(w, "make challenge", err)
		return
	}
	c := base64.StdEncoding.EncodeToString(b)
	if err := a.Redis.SetEx(r.Context(), "pow_challenge:"+c, "1", 5*time.Minute).Err(); err != nil {
		web.Internal(w, "store challenge", err)
		return
	}
	web.JSON(w, http.StatusOK, map[string]any{"challenge": c, "difficulty": 8})
}

// tokens is the answer to registration, device login and refresh.
type tokens struct {
	UserID       string `json:"userId"`
	DeviceID     string `json:"deviceId"`
	AccessToken  string `json:"accessToken"`
	RefreshToken string `json:"refreshToken"`
	ExpiresIn    int    `json:"expiresIn"` // seconds
}

func (a *Auth) register(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Username  string `json:"username"`
		DeviceID  string `json:"deviceId"`
		PublicKey string `json:"publicKey"`
	}
	if !web.Read(w, r, &body) || !a.mayRegister(w, r) {
		return
	}
	if body.DeviceID == "" {
		body.DeviceID = uuid.NewString()
	}
	id := uuid.NewString()
	err := pgx.BeginFunc(r.Context(), a.DB, func(tx pgx.Tx) error {
		if _, err := tx.Exec(r.Context(), "INSERT INTO users (id, username) VALUES ($1, NULLIF($2, ''))", id, body.Username); err != nil {
			return fmt.Errorf("insert user: %w", err)
		}
		_, err := tx.Exec(r.Context(), "INSERT INTO devices (id, user_id, public_key) VALUES ($1, $2, $3)",
			body.DeviceID, id, body.PublicKey)
		if err != nil {
			return fmt.Errorf("insert device: %w", err)
		}
		return nil
	})
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "23505" {
		web.Error(w, http.StatusConflict, "username is taken")
		return
	}
	if err != nil {
		web.Internal(w, "register device", err)
		return
	}
	a.issue(w, r, http.StatusCreated, id, body.DeviceID)
}

// mayRegister counts registrations per client address.
func (a *Auth) mayRegister(w http.ResponseWriter, r *http.Request) bool {
	ip, _, _ := strings.Cut(r.Header.Get("X-Forwarded-For"), ",")
	key := "rate:registration:" + strings.TrimSpace(ip)
	n, err := a.Redis.Incr(r.Context(), key).Result()
	if err != nil {
		web.Internal(w, "count registration", err)
		return false
	}
	if n == 1 {
		a.Redis.Expire(r.Context(), key, time.Hour)
	}
	if n > int64(a.Config.Limits.RegistrationsPerHour) {
		web.Error(w, http.StatusTooManyRequests, "too many registrations")
		return false
	}
	return true
}

// device logs a known device in again.
func (a *Auth) device(w http.ResponseWriter, r *http.Request) {
	var body struct {
		UserID   string `json:"userId"`
		DeviceID string `json:"deviceId"`
	}
	if !web.Read(w, r, &body) {
		return
	}
	var known bool
	err := a.DB.QueryRow(r.Context(), "SELECT EXISTS (SELECT FROM devices WHERE user_id::text = $1 AND id = $2)",
		body.UserID, body.DeviceID).Scan(&known)
	if err != nil {
		web.Internal(w, "look up device", err)
		return
	}
	if !known {
		web.Error(w, http.StatusUnauthorized, "unknown device")
		return
	}
	a.issue(w, r, http.StatusOK, body.UserID, body.DeviceID)
}

func (a *Auth) issue(w http.ResponseWriter, r *http.Request, status int, user, device string) {
	p, err := a.Keys.Issue(user, device)
	if err != nil {
		web.Internal(w, "issue tokens", err)
		return
	}
	if err := a.Redis.SetEx(r.Context(), "refresh_token:"+p.RefreshID, user, p.RefreshTTL).Err(); err != nil {
		web.Internal(w, "store refresh token", err)
		return
	}
	web.JSON(w, status, tokens{user, device, p.Access, p.Refresh, int(p.AccessTTL.Seconds())})
}

// refresh spends a refresh token: each is good once.
func (a *Auth) refresh(w http.ResponseWriter, r *http.Request) {
	var body struct {
		RefreshToken string `json:"refreshToken"`
	}
	if !web.Read(w, r, &body) {
		return
	}
	c, err := a.Keys.Verify(body.RefreshToken, "refresh")
	if err != nil {
		web.Error(w, http.StatusUnauthorized, "invalid refresh token")
		return
	}
	n, err := a.Redis.Del(r.Context(), "refresh_token:"+c.ID).Result()
	if err != nil {
		web.Internal(w, "spend refresh token", err)
		return
	}
	if n == 0 {
		web.Error(w, http.StatusUnauthorized, "refresh token is spent or revoked")
		return
	}
	a.issue(w, r, http.StatusOK, c.Subject, c.DeviceID)
}

// logout revokes the access token that came with the request, until it
// would have expired. The gateway looks the mark up, in the same Redis.
func (a *Auth) logout(w http.ResponseWriter, r *http.Request) {
	raw := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	c, err := a.Keys.Verify(raw, "access")
	if err != nil {
		web.Error(w, http.StatusUnauthorized, "invalid access token")
		return
	}
	if err := a.Redis.Set(r.Context(), "invalidated_token:"+c.ID, "1", time.Until(c.ExpiresAt.Time)).Err(); err != nil {
		web.Internal(w, "revoke token", err)
		return
	}
	web.JSON(w, http.StatusOK, map[string]string{"status": "ok"})
}
