package service

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/construct-server/infra/sim/construct/bus"
	"github.com/construct-server/infra/sim/construct/settings"
	"github.com/construct-server/infra/sim/construct/token"
	"github.com/construct-server/infra/sim/construct/web"
)

const (
	maxCiphertext    = 64 << 10 // bytes
	defaultPollWait  = 30 * time.Second
	maxPollWait      = 60 * time.Second
	longPollsPerTime = time.Minute
)

// Messaging takes messages in, hands them out by long-poll and mints upload tokens.
type Messaging struct {
	Config   *settings.Config
	Redis    *redis.Client
	Producer *bus.Producer
	Inbox    *bus.Inbox
}

// Register adds the routes to mux.
func (m *Messaging) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/v1/messages", m.send)
	mux.HandleFunc("GET /api/v1/messages", m.poll)
	mux.HandleFunc("POST /api/v1/media/token", m.mediaToken)
	mux.HandleFunc("GET /api/v1/media/token", m.mediaToken)
}

func (m *Messaging) send(w http.ResponseWriter, r *http.Request) {
	sender, ok := web.User(w, r)
	if !ok {
		return
	}
	var body struct {
		Recipient  string `json:"recipientId"`
		Ciphertext string `json:"ciphertext"`
	}
	if !web.Read(w, r, &body) {
		return
	}
	switch {
	case body.Recipient == "" || body.Ciphertext == "":
		web.Error(w, http.StatusBadRequest, "recipientId and ciphertext are needed")
		return
	case len(body.Ciphertext) > maxCiphertext:
		web.Error(w, http.StatusBadRequest, "ciphertext is larger than %d bytes", maxCiphertext)
		return
	}
	// A write: against a replica it fails with READONLY, and so does the request.
	if err := m.Redis.SetEx(r.Context(), "session:"+sender, "1", time.Hour).Err(); err != nil {
		web.Internal(w, "touch session", err)
		return
	}
	msg := bus.Message{
		ID: uuid.NewString(), Sender: sender, Recipient: body.Recipient,
		Ciphertext: body.Ciphertext, SentAt: time.Now().UnixMilli(),
	}
	err := m.Producer.Send(r.Context(), msg)
	if errors.Is(err, bus.ErrDisabled) {
		_, err = m.Inbox.Deliver(r.Context(), msg)
	}
	if err != nil {
		web.Internal(w, "send message", err)
		return
	}
	web.JSON(w, http.StatusOK, map[string]string{"messageId": msg.ID, "status": "sent"})
}

// poll answers at once if something waits; otherwise it sleeps the whole
// timeout and looks once more, as the real service does.
func (m *Messaging) poll(w http.ResponseWriter, r *http.Request) {
	user, ok := web.User(w, r)
	if !ok || !m.mayPoll(w, r, user) {
		return
	}
	since := r.URL.Query().Get("since")
	if since != "" && !streamID(since) {
		web.Error(w, http.StatusBadRequest, "since is not a stream id")
		return
	}
	wait := defaultPollWait
	if n, err := strconv.Atoi(r.URL.Query().Get("timeout")); err == nil {
		wait = min(max(time.Duration(n)*time.Second, 0), maxPollWait)
	}
	found, err := m.Inbox.Since(r.Context(), user, since)
	if err == nil && len(found) == 0 && wait > 0 {
		select {
		case <-time.After(wait):
		case <-r.Context().Done():
			return
		}
		found, err = m.Inbox.Since(r.Context(), user, since)
	}
	if err != nil {
		web.Internal(w, "read messages", err)
		return
	}
	next := since
	if len(found) > 0 {
		next = found[len(found)-1].StreamID
	}
	web.JSON(w, http.StatusOK, map[string]any{"messages": found, "nextSince": next})
}

func (m *Messaging) mayPoll(w http.ResponseWriter, r *http.Request, user string) bool {
	key := "rate:longpoll:" + user
	n, err := m.Redis.Incr(r.Context(), key).Result()
	if err != nil {
		web.Internal(w, "count long-poll", err)
		return false
	}
	if n == 1 {
		m.Redis.Expire(r.Context(), key, longPollsPerTime)
	}
	if n > int64(m.Config.Limits.LongPollPerMinute) {
		web.Error(w, http.StatusTooManyRequests, "too many long-polls")
		return false
	}
	return true
}

func streamID(s string) bool {
	for part := range strings.SplitSeq(s, "-") {
		if _, err := strconv.ParseUint(part, 10, 64); err != nil {
			return false
		}
	}
	return strings.Count(s, "-") <= 1
}

func (m *Messaging) mediaToken(w http.ResponseWriter, r *http.Request) {
	user, ok := web.User(w, r)
	if !ok {
		return
	}
	if !m.Config.Media.Enabled {
		web.Error(w, http.StatusServiceUnavailable, "media is disabled")
		return
	}
	web.JSON(w, http.StatusOK, map[string]string{
		"uploadToken": token.NewUpload(m.Config.Media.UploadSecret, user),
		"uploadUrl":   strings.TrimSuffix(m.Config.Media.BaseURL, "/") + "/upload",
	})
}
