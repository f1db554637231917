package bus

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/construct-server/infra/sim/construct/settings"
)

// inboxLength is the approximate bound of a recipient's stream.
const inboxLength = 10000

// Inbox writes messages into the recipients' offline streams. It needs the
// Redis primary: a replica answers READONLY and the write fails.
type Inbox struct {
	redis   *redis.Client
	prefix  string
	channel string
	ttl     time.Duration
}

// NewInbox takes the queue prefix, channel and message lifetime from c.
func NewInbox(r *redis.Client, c *settings.Config) *Inbox {
	return &Inbox{redis: r, prefix: c.DeliveryQueuePrefix, channel: c.OnlineChannel, ttl: c.MessageTTL}
}

// Stream is the key of a user's offline stream.
func (b *Inbox) Stream(user string) string { return b.prefix + "offline:" + user }

func dedupKey(id string) string { return "processed_msg:" + id }

// Deliver appends m once: a second delivery of the same id reports duplicate
// and writes nothing. The dedup mark outlives the message by two hours.
func (b *Inbox) Deliver(ctx context.Context, m Message) (duplicate bool, err error) {
	seen, err := b.redis.Exists(ctx, dedupKey(m.ID)).Result()
	if err != nil {
		return false, fmt.Errorf("look up message %q: %w", m.ID, err)
	}
	if seen > 0 {
		return true, nil
	}
	_, err = b.redis.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.XAdd(ctx, &redis.XAddArgs{
			Stream: b.Stream(m.Recipient), MaxLen: inboxLength, Approx: true,
			Values: []any{"id", m.ID, "senderId", m.Sender, "ciphertext", m.Ciphertext, "sentAt", m.SentAt},
		})
		p.SetEx(ctx, dedupKey(m.ID), "1", b.ttl+2*time.Hour)
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("store message %q: %w", m.ID, err)
	}
	if err := b.redis.Publish(ctx, "message_notifications:"+m.Recipient, m.ID).Err(); err != nil {
		return false, fmt.Errorf("announce message %q: %w", m.ID, err)
	}
	if err := b.redis.Publish(ctx, b.channel, m.Recipient).Err(); err != nil {
		return false, fmt.Errorf("announce recipient %q: %w", m.Recipient, err)
	}
	return false, nil
}

// Entry is a message as it lies in a stream.
type Entry struct {
	StreamID   string `json:"streamId"`
	ID         string `json:"id"`
	Sender     string `json:"senderId"`
	Ciphertext string `json:"ciphertext"`
	SentAt     string `json:"sentAt"`
}

// Since lists what came after the stream id since ("" for everything) and
// drops what the client has thereby acknowledged.
func (b *Inbox) Since(ctx context.Context, user, since string) ([]Entry, error) {
	from := "-"
	if since != "" {
		from = "(" + since
		if err := b.redis.XTrimMinID(ctx, b.Stream(user), since).Err(); err != nil {
			return nil, fmt.Errorf("trim inbox of %q: %w", user, err)
		}
	}
	found, err := b.redis.XRangeN(ctx, b.Stream(user), from, "+", 100).Result()
	if err != nil {
		return nil, fmt.Errorf("read inbox of %q: %w", user, err)
	}
	out := make([]Entry, 0, len(found))
	for _, x := range found {
		text := func(k string) string { s, _ := x.Values[k].(string); return s }
		out = append(out, Entry{
			StreamID: x.ID, ID: text("id"), Sender: text("senderId"),
			Ciphertext: text("ciphertext"), SentAt: text("sentAt"),
		})
	}
	return out, nil
}
