package service

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/sim/construct/settings"
	"github.com/construct-server/infra/sim/construct/token"
)

const secret = "a secret of the two services"

func newMedia(t *testing.T) (*Media, http.Handler) {
	t.Helper()
	m := &Media{Config: settings.MediaConfig{UploadSecret: secret, StorageDir: t.TempDir(), MaxFileSize: 1 << 30, FileTTL: time.Hour}}
	return m, m.Handler(http.NotFoundHandler())
}

func upload(t *testing.T, h http.Handler, tok, content string) *httptest.ResponseRecorder {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if tok != "" {
		require.NoError(t, form.WriteField("token", tok))
	}
	f, err := form.CreateFormFile("file", "name")
	require.NoError(t, err)
	_, err = f.Write([]byte(content))
	require.NoError(t, err)
	require.NoError(t, form.Close())
	r := httptest.NewRequest(http.MethodPost, "/upload", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func do(h http.Handler, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func TestMediaRoundTrip(t *testing.T) {
	t.Parallel()
	_, h := newMedia(t)
	w := upload(t, h, token.NewUpload(secret, "alice"), "content")
	require.Equal(t, http.StatusCreated, w.Code)
	var answer struct{ ID string }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
	require.Equal(t, "content", do(h, http.MethodGet, "/"+answer.ID).Body.String())
	require.Equal(t, http.StatusNoContent, do(h, http.MethodDelete, "/"+answer.ID).Code, "deleting needs no token")
	require.Equal(t, http.StatusNotFound, do(h, http.MethodGet, "/"+answer.ID).Code)
}

func TestMediaRefuses(t *testing.T) {
	t.Parallel()
	m, h := newMedia(t)
	require.Equal(t, http.StatusUnauthorized, upload(t, h, "", "x").Code)
	require.Equal(t, http.StatusUnauthorized, upload(t, h, token.NewUpload("another secret", "alice"), "x").Code)
	big := strings.Repeat("x", 3<<20)
	require.Equal(t, http.StatusRequestEntityTooLarge, upload(t, h, token.NewUpload(secret, "alice"), big).Code)
	left, err := os.ReadDir(m.Config.StorageDir)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestMediaPathIsNotSanitised(t *testing.T) {
	t.Parallel()
	m, h := newMedia(t)
	outside := filepath.Join(filepath.Dir(m.Config.StorageDir), "outside")
	require.NoError(t, os.WriteFile(outside, []byte("leak"), 0o600))
	require.Equal(t, "leak", do(h, http.MethodGet, "/..%2foutside").Body.String(), "a flaw of the real service that the edge must stop")
	require.Equal(t, http.StatusNotFound, do(h, http.MethodGet, "/../outside").Code)
}

func TestMediaSweep(t *testing.T) {
	t.Parallel()
	m, _ := newMedia(t)
	path := filepath.Join(m.Config.StorageDir, "f")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, m.sweepOnce(time.Now()))
	require.FileExists(t, path)
	require.NoError(t, m.sweepOnce(time.Now().Add(2*time.Hour)))
	require.NoFileExists(t, path)
}

func TestStreamID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{"1-0": true, "15": true, "1-0-0": false, "x": false, "-": false, "$": false} {
		require.Equal(t, want, streamID(id), id)
	}
}
