package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"
)

// MaxBody is the default body limit of the real services' HTTP framework: 2 MB.
const MaxBody = 2 << 20

// Identity is what a service says about itself.
type Identity struct {
	Service string
	Version string
	Fault   string // "broken-health", "broken-logs": /health* answers 500
}

// JSON writes v with the given status.
func JSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		log.Printf("write response: %v", err)
	}
}

// Error writes the services' error shape.
func Error(w http.ResponseWriter, status int, format string, args ...any) {
	JSON(w, status, map[string]string{"error": fmt.Sprintf(format, args...)})
}

// Internal logs err and answers 500 without its text.
func Internal(w http.ResponseWriter, doing string, err error) {
	log.Printf("%s: %v", doing, err)
	Error(w, http.StatusInternalServerError, "internal error")
}

// Read decodes a JSON body of at most MaxBody bytes into v. On failure it has
// answered 413 or 400 already and returns false.
func Read(w http.ResponseWriter, r *http.Request, v any) bool {
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, MaxBody)).Decode(v)
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return true
	case errors.As(err, &tooLarge):
		Error(w, http.StatusRequestEntityTooLarge, "body larger than %d bytes", tooLarge.Limit)
	default:
		Error(w, http.StatusBadRequest, "malformed body")
	}
	return false
}

// User returns X-User-Id, which the services trust without any check. Without
// it the request is answered 401 and the second result is false.
func User(w http.ResponseWriter, r *http.Request) (string, bool) {
	id := r.Header.Get("X-User-Id")
	if id == "" {
		Error(w, http.StatusUnauthorized, "missing X-User-Id")
		return "", false
	}
	return id, true
}

// Health registers the static answers. They say nothing about dependencies.
func (id Identity) Health(mux *http.ServeMux, paths ...string) {
	for _, p := range paths {
		mux.HandleFunc("GET "+p, func(w http.ResponseWriter, _ *http.Request) {
			status, word := http.StatusOK, "ok"
			if id.Fault == "broken-health" || id.Fault == "broken-logs" {
				status, word = http.StatusInternalServerError, "broken"
			}
			JSON(w, status, map[string]string{"status": word, "service": id.Service, "version": id.Version})
		})
	}
}

// Stamp adds the headers by which a test sees who answered, and for whom and on
// whose behalf the request was taken.
func (id Identity) Stamp(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Construct-Service", id.Service)
		w.Header().Set("X-Construct-Version", id.Version)
		w.Header().Set("X-Construct-User", r.Header.Get("X-User-Id"))
		w.Header().Set("X-Construct-Device", r.Header.Get("X-Device-Id"))
		w.Header().Set("X-Construct-Client", r.Header.Get("X-Forwarded-For"))
		next.ServeHTTP(w, r)
	})
}

// Serve listens on addr and serves until the process dies: no draining.
func Serve(addr string, h http.Handler) error {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return fmt.Errorf("bind %q: %w", addr, err)
	}
	log.Printf("listening on %s", l.Addr())
	s := &http.Server{Handler: h, ReadHeaderTimeout: 30 * time.Second}
	if err := s.Serve(l); err != nil {
		return fmt.Errorf("serve %q: %w", addr, err)
	}
	return nil
}
