package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/construct-server/infra/sim/construct/settings"
	"github.com/construct-server/infra/sim/construct/token"
	"github.com/construct-server/infra/sim/construct/web"
)

// Media stores uploads on the local disk. It has the real service's gaps,
// which the edge has to close: GET and DELETE need no token, and the decoded
// id is joined to the storage path as it is.
type Media struct {
	Config settings.MediaConfig
}

// Handler serves POST /upload and GET and DELETE /{id}; everything else is next's.
func (m *Media) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := strings.TrimPrefix(r.URL.EscapedPath(), "/")
		switch {
		case r.Method == http.MethodPost && id == "upload":
			m.upload(w, r)
		case id == "" || id == "health" || strings.Contains(id, "/"):
			next.ServeHTTP(w, r)
		case r.Method == http.MethodGet:
			m.file(w, id, func(path string) { http.ServeFile(w, plain(r), path) })
		case r.Method == http.MethodDelete:
			m.file(w, id, func(path string) { m.remove(w, path) })
		default:
			web.Error(w, http.StatusMethodNotAllowed, "method not allowed")
		}
	})
}

// plain hides the request's path from http.ServeFile, which would refuse dots in it.
func plain(r *http.Request) *http.Request {
	c := r.Clone(r.Context())
	c.URL = &url.URL{Path: "/file"}
	return c
}

func (m *Media) file(w http.ResponseWriter, escaped string, do func(path string)) {
	id, err := url.PathUnescape(escaped)
	if err != nil {
		web.Error(w, http.StatusBadRequest, "malformed id")
		return
	}
	path := filepath.Join(m.Config.StorageDir, id)
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		web.Error(w, http.StatusNotFound, "no such file")
		return
	}
	do(path)
}

func (m *Media) remove(w http.ResponseWriter, path string) {
	if err := os.Remove(path); err != nil {
		web.Internal(w, "delete file", err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// upload takes a multipart form with the fields token and file, in this order.
func (m *Media) upload(w http.ResponseWriter, r *http.Request) {
	body := r.Body
	// What is left unread would cut the connection before the client has the answer.
	defer func() { _, _ = io.Copy(io.Discard, io.LimitReader(body, 4*web.MaxBody)) }()
	r.Body = http.MaxBytesReader(w, body, min(web.MaxBody, m.Config.MaxFileSize))
	form, err := r.MultipartReader()
	if err != nil {
		web.Error(w, http.StatusBadRequest, "want multipart/form-data")
		return
	}
	user := ""
	for {
		part, err := form.NextPart()
		if err != nil {
			m.uploadError(w, err)
			return
		}
		switch part.FormName() {
		case "token":
			raw, err := io.ReadAll(part)
			if err != nil {
				m.uploadError(w, err)
				return
			}
			if user, err = token.CheckUpload(m.Config.UploadSecret, string(raw)); err != nil {
				web.Error(w, http.StatusUnauthorized, "invalid upload token")
				return
			}
		case "file":
			if user == "" {
				web.Error(w, http.StatusUnauthorized, "upload token is missing")
				return
			}
			m.store(w, part)
			return
		}
	}
}

func (m *Media) uploadError(w http.ResponseWriter, err error) {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		web.Error(w, http.StatusRequestEntityTooLarge, "file larger than %d bytes", tooLarge.Limit)
		return
	}
	web.Error(w, http.StatusBadRequest, "want the fields token and file")
}

func (m *Media) store(w http.ResponseWriter, part *multipart.Part) {
	id := uuid.NewString()
	f, err := os.Create(filepath.Join(m.Config.StorageDir, id))
	if err != nil {
		web.Internal(w, "create file", err)
		return
	}
	size, err := io.Copy(f, part)
	err = errors.Join(err, f.Close())
	if err != nil {
		_ = os.Remove(f.Name())
		m.uploadError(w, err)
		return
	}
	web.JSON(w, http.StatusCreated, map[string]any{
		"id": id, "size": size, "url": strings.TrimSuffix(m.Config.BaseURL, "/") + "/" + id,
	})
}

// Sweep deletes files older than the lifetime, now and every hour.
func (m *Media) Sweep(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := m.sweepOnce(time.Now()); err != nil {
			log.Printf("sweep: %v", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (m *Media) sweepOnce(now time.Time) error {
	entries, err := os.ReadDir(m.Config.StorageDir)
	if err != nil {
		return fmt.Errorf("list storage: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || now.Sub(info.ModTime()) <= m.Config.FileTTL {
			continue
		}
		if err := os.Remove(filepath.Join(m.Config.StorageDir, e.Name())); err != nil {
			return fmt.Errorf("delete expired file %q: %w", e.Name(), err)
		}
	}
	return nil
}
