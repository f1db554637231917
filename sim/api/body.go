package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// maxBody bounds a request body, in bytes. The largest real one is a server's
// creation with 64 KiB of user data.
const maxBody = 1 << 20

// Decode reads a request's JSON body into v. A field that v does not model is
// an error that names the field, so that nothing a client sends is dropped in
// silence. An empty body leaves v as it was.
func Decode(r *http.Request, v any) error {
	dec := json.NewDecoder(io.LimitReader(r.Body, maxBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		if errors.Is(err, io.EOF) {
			return nil
		}
		return fmt.Errorf("request body: %w", err)
	}
	if dec.More() {
		return errors.New("request body: more than one JSON value")
	}
	return nil
}

// Write answers with a status and a JSON body; a nil body writes none.
func Write(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	// The client may be gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(body)
}

// Page is one page's position in a list.
type Page struct {
	Number, Size, Total int
}

// Last is the number of the last page, at least 1.
func (p Page) Last() int {
	if p.Total == 0 {
		return 1
	}
	return (p.Total + p.Size - 1) / p.Size
}

// Paginate cuts the page that the request's page and per_page ask for out of
// all. A size above limit becomes limit; nonsense becomes the default.
func Paginate[T any](r *http.Request, all []T, size, limit int) ([]T, Page) {
	p := Page{Number: 1, Size: size, Total: len(all)}
	if n, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil && n > 0 {
		p.Number = n
	}
	if n, err := strconv.Atoi(r.URL.Query().Get("per_page")); err == nil && n > 0 {
		p.Size = min(n, limit)
	}
	from := min((p.Number-1)*p.Size, len(all))
	to := min(from+p.Size, len(all))
	return all[from:to], p
}
