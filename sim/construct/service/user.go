package service

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/construct-server/infra/sim/construct/web"
)

// User serves profiles, names and public keys.
type User struct {
	DB    *pgxpool.Pool
	Redis *redis.Client
}

// Register adds the routes to mux.
func (u *User) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/v1/users/username/availability", u.availability)
	mux.HandleFunc("GET /api/v1/users/{id}/public-key", u.publicKey)
	mux.HandleFunc("GET /api/v1/users/profile", u.profile)
	mux.HandleFunc("GET /api/v1/account", u.profile)
	mux.HandleFunc("POST /api/v1/account/delete-challenge", u.deleteChallenge)
	mux.HandleFunc("POST /api/v1/account/delete-confirm", u.deleteConfirm)
	mux.HandleFunc("POST /api/v1/keys/upload", u.uploadKeys)
}

func (u *User) availability(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("username")
	if name == "" {
		web.Error(w, http.StatusBadRequest, "username is missing")
		return
	}
	var taken bool
	err := u.DB.QueryRow(r.Context(), "SELECT EXISTS (SELECT FROM users WHERE username = $1)", name).Scan(&taken)
	if err != nil {
		web.Internal(w, "look up username", err)
		return
	}
	web.JSON(w, http.StatusOK, map[string]any{"username": name, "available": !taken})
}

func (u *User) profile(w http.ResponseWriter, r *http.Request) {
	id, ok := web.User(w, r)
	if !ok {
		return
	}
	var name string
	var created time.Time
	err := u.DB.QueryRow(r.Context(), "SELECT COALESCE(username, ''), created_at FROM users WHERE id::text = $1", id).Scan(&name, &created)
	if errors.Is(err, pgx.ErrNoRows) {
		web.Error(w, http.StatusNotFound, "no such user")
		return
	}
	if err != nil {
		web.Internal(w, "read profile", err)
		return
	}
	web.JSON(w, http.StatusOK, map[string]any{"userId": id, "username": name, "createdAt": created})
}

func (u *User) publicKey(w http.ResponseWriter, r *http.Request) {
	if _, ok := web.User(w, r); !ok {
		return
	}
	id := r.PathValue("id")
	cacheKey := "key_bundle:" + id
	if cached, err := u.Redis.Get(r.Context(), cacheKey).Result(); err == nil {
		web.JSON(w, http.StatusOK, map[string]any{"userId": id, "bundle": json.RawMessage(cached)})
		return
	}
	var bundle string
	err := u.DB.QueryRow(r.Context(), "SELECT bundle::text FROM key_bundles WHERE user_id::text = $1", id).Scan(&bundle)
	if errors.Is(err, pgx.ErrNoRows) {
		web.Error(w, http.StatusNotFound, "no keys for this user")
		return
	}
	if err != nil {
		web.Internal(w, "read key bundle", err)
		return
	}
	u.Redis.SetEx(r.Context(), cacheKey, bundle, time.Hour)
	web.JSON(w, http.StatusOK, map[string]any{"userId": id, "bundle": json.RawMessage(bundle)})
}

func (u *User) uploadKeys(w http.ResponseWriter, r *http.Request) {
	id, ok := web.User(w, r)
	if !ok {
		return
	}
	var bundle json.RawMessage
	if !web.Read(w, r, &bundle) {
		return
	}
	_, err := u.DB.Exec(r.Context(), `INSERT INTO key_bundles (user_id, bundle) VALUES ($1, $2::jsonb)
		ON CONFLICT (user_id) DO UPDATE SET bundle = EXCLUDED.bundle`, id, string(bundle))
	if err != nil {
		web.Internal(w, "store key bundle", err)
		return
	}
	if err := u.Redis.Del(r.Context(), "key_bundle:"+id).Err(); err != nil {
		web.Internal(w, "drop cached key bundle", err)
		return
	}
	web.JSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (u *User) deleteChallenge(w http.ResponseWriter, r *http.Request) {
	id, ok := web.User(w, r)
	if !ok {
		return
	}
	c := uuid.NewString()
	if err := u.Redis.SetEx(r.Context(), "delete_challenge:"+id, c, 5*time.Minute).Err(); err != nil {
		web.Internal(w, "store challenge", err)
		return
	}
	web.JSON(w, http.StatusOK, map[string]string{"challenge": c})
}

func (u *User) deleteConfirm(w http.ResponseWriter, r *http.Request) {
	id, ok := web.User(w, r)
	if !ok {
		return
	}
	var body struct {
		Challenge string `json:"challenge"`
	}
	if !web.Read(w, r, &body) {
		return
	}
	want, err := u.Redis.GetDel(r.Context(), "delete_challenge:"+id).Result()
	if err != nil || want != body.Challenge {
		web.Error(w, http.StatusForbidden, "challenge does not match")
		return
	}
	if _, err := u.DB.Exec(r.Context(), "DELETE FROM users WHERE id::text = $1", id); err != nil {
		web.Internal(w, "delete user", err)
		return
	}
	web.JSON(w, http.StatusOK, map[string]string{"status": "deleted"})
}
