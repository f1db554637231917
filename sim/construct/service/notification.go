package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/construct-server/infra/sim/construct/web"
)

// Notification keeps which device tokens a user wants pushes on. It sends
// none: the real 0.7 services never initialise their APNs client either.
type Notification struct {
	DB *pgxpool.Pool
}

// Register adds the routes to mux.
func (n *Notification) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/v1/notifications/register-device", n.with(n.register))
	mux.HandleFunc("POST /api/v1/notifications/unregister-device", n.with(n.unregister))
	mux.HandleFunc("PUT /api/v1/notifications/preferences", n.with(n.preferences))
}

type notificationBody struct {
	DeviceToken string `json:"deviceToken"`
	Platform    string `json:"platform"`
	Enabled     bool   `json:"enabled"`
}

// with reads user and body, and answers.
func (n *Notification) with(do func(context.Context, string, notificationBody) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, ok := web.User(w, r)
		if !ok {
			return
		}
		var b notificationBody
		if !web.Read(w, r, &b) {
			return
		}
		if err := do(r.Context(), user, b); err != nil {
			web.Internal(w, "update notification settings", err)
			return
		}
		web.JSON(w, http.StatusOK, map[string]string{"status": "ok"})
	}
}

func hashToken(t string) string {
	sum := sha256.Sum256([]byte(t))
	return hex.EncodeToString(sum[:])
}

func (n *Notification) register(ctx context.Context, user string, b notificationBody) error {
	_, err := n.DB.Exec(ctx, `INSERT INTO notification_tokens (user_id, device_token_hash, platform)
		VALUES ($1, $2, COALESCE(NULLIF($3, ''), 'ios'))
		ON CONFLICT (user_id, device_token_hash) DO UPDATE SET enabled = TRUE`, user, hashToken(b.DeviceToken), b.Platform)
	return err
}

func (n *Notification) unregister(ctx context.Context, user string, b notificationBody) error {
	_, err := n.DB.Exec(ctx, "DELETE FROM notification_tokens WHERE user_id = $1 AND device_token_hash = $2",
		user, hashToken(b.DeviceToken))
	return err
}

func (n *Notification) preferences(ctx context.Context, user string, b notificationBody) error {
	_, err := n.DB.Exec(ctx, "UPDATE notification_tokens SET enabled = $2 WHERE user_id = $1", user, b.Enabled)
	return err
}
