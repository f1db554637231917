package outside

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
)

// User is a registered user of the messenger.
type User struct {
	client *Client
	ID     string
	Token  string
}

// Register makes a user.
func (c *Client) Register(ctx context.Context, name string) (*User, error) {
	answer, err := c.Do(ctx, http.MethodPost, "/api/v1/auth/register-device", "", map[string]string{
		"username": name, "deviceId": name + "-phone", "publicKey": base64.StdEncoding.EncodeToString([]byte(name)),
	})
	if err != nil {
		return nil, err
	}
	var got struct{ UserID, AccessToken string }
	if err := answer.Decode(&got); err != nil {
		return nil, fmt.Errorf("register %s: %w", name, err)
	}
	return &User{client: c, ID: got.UserID, Token: got.AccessToken}, nil
}

// Do sends a request as the user.
func (u *User) Do(ctx context.Context, method, path string, body any) (Answer, error) {
	return u.client.Do(ctx, method, path, u.Token, body)
}

// Send sends a message and returns its id.
func (u *User) Send(ctx context.Context, to, ciphertext string) (string, error) {
	answer, err := u.Do(ctx, http.MethodPost, "/api/v1/messages", map[string]string{"recipientId": to, "ciphertext": ciphertext})
	if err != nil {
		return "", err
	}
	var got struct{ MessageID string }
	err = decode(answer, &got, func() string { return got.MessageID })
	return got.MessageID, err
}

// Message is a message as its recipient polls it.
type Message struct{ ID, SenderID, Ciphertext string }

// Poll long-polls for messages after since, at most seconds long.
func (u *User) Poll(ctx context.Context, since string, seconds int) ([]Message, error) {
	query := url.Values{"timeout": {fmt.Sprint(seconds)}}
	if since != "" {
		query.Set("since", since)
	}
	answer, err := u.Do(ctx, http.MethodGet, "/api/v1/messages?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	var got struct{ Messages []Message }
	if err := answer.Decode(&got); err != nil {
		return nil, fmt.Errorf("poll: %w", err)
	}
	return got.Messages, nil
}

// UploadToken asks for the right to upload one file.
func (u *User) UploadToken(ctx context.Context) (string, error) {
	answer, err := u.Do(ctx, http.MethodGet, "/api/v1/media/token", nil)
	if err != nil {
		return "", err
	}
	var got struct{ UploadToken string }
	err = decode(answer, &got, func() string { return got.UploadToken })
	return got.UploadToken, err
}

// decode reads an answer and insists on one value in it.
func decode(answer Answer, into any, want func() string) error {
	if err := answer.Decode(into); err != nil {
		return err
	}
	if want() == "" {
		return fmt.Errorf("answer without the expected value: %s", answer.Body)
	}
	return nil
}
