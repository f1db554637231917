package digitalocean

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/construct-server/infra/sim/api"
	"github.com/digitalocean/godo"
)

// DigitalOcean's pages hold 20 entries unless asked, and never more than 200.
const (
	pageSize  = 20
	pageLimit = 200
)

// apiError is an error answer: an HTTP status with {id, message}.
type apiError struct {
	status  int
	id      string
	message string
}

func (e *apiError) Error() string { return e.message }

func notFound() error {
	return &apiError{http.StatusNotFound, "not_found", "The resource you were accessing could not be found."}
}

func unprocessable(format string, args ...any) error {
	return &apiError{http.StatusUnprocessableEntity, "unprocessable_entity", fmt.Sprintf(format, args...)}
}

func conflict(format string, args ...any) error {
	return &apiError{http.StatusConflict, "conflict", fmt.Sprintf(format, args...)}
}

type errorBody struct {
	ID        string `json:"id"`
	Message   string `json:"message"`
	RequestID string `json:"request_id,omitempty"`
}

func writeError(w http.ResponseWriter, err error) {
	var e *apiError
	if !errors.As(err, &e) {
		e = &apiError{http.StatusInternalServerError, "server_error", err.Error()}
	}
	api.Write(w, e.status, errorBody{ID: e.id, Message: e.message, RequestID: w.Header().Get("X-Request-Id")})
}

// WriteStatus implements api.Cloud.
func (c *Cloud) WriteStatus(w http.ResponseWriter, status, retryAfter int) {
	if retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	ids := map[int][2]string{
		http.StatusUnauthorized:        {"unauthorized", "Unable to authenticate you"},
		http.StatusForbidden:           {"forbidden", "You do not have access for the attempted action."},
		http.StatusNotFound:            {"not_found", "The resource you were accessing could not be found."},
		http.StatusConflict:            {"conflict", "The request could not be completed due to a conflict."},
		http.StatusUnprocessableEntity: {"unprocessable_entity", "The request could not be processed."},
		http.StatusTooManyRequests:     {"too_many_requests", "API rate limit exceeded."},
		http.StatusServiceUnavailable:  {"service_unavailable", "Service is temporarily unavailable."},
	}
	text, ok := ids[status]
	if !ok {
		text = [2]string{"server_error", "Server was unable to give you a response."}
	}
	writeError(w, &apiError{status, text[0], text[1]})
}

// WriteCapacity implements api.Cloud.
func (c *Cloud) WriteCapacity(w http.ResponseWriter) {
	writeError(w, unprocessable("Size is not available in this region."))
}

// reply is a handler's answer. A nil body writes the status alone.
type reply struct {
	status int
	body   any
}

type handler func(r *http.Request) (reply, error)

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out, err := h(r)
	if err != nil {
		writeError(w, err)
		return
	}
	api.Write(w, out.status, out.body)
}

func ok(body any) (reply, error)      { return reply{http.StatusOK, body}, nil }
func created(body any) (reply, error) { return reply{http.StatusCreated, body}, nil }
func gone() (reply, error)            { return reply{status: http.StatusNoContent}, nil }

// decode reads the body, or says which field the emulator does not model.
func decode(r *http.Request, v any) error {
	if err := api.Decode(r, v); err != nil {
		return unprocessable("%s", err.Error())
	}
	return nil
}

// list is the envelope around a page of entries, under the plural's key.
type listMeta struct {
	Links *godo.Links `json:"links"`
	Meta  *godo.Meta  `json:"meta"`
}

// paginate cuts a page and describes it as DigitalOcean does.
func paginate[T any](r *http.Request, all []T) ([]T, listMeta) {
	page, p := api.Paginate(r, all, pageSize, pageLimit)
	if page == nil {
		page = []T{}
	}
	links := &godo.Links{}
	if p.Last() > 1 {
		at := func(n int) string {
			u := url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path}
			q := r.URL.Query()
			q.Set("page", strconv.Itoa(n))
			q.Set("per_page", strconv.Itoa(p.Size))
			u.RawQuery = q.Encode()
			return u.String()
		}
		links.Pages = &godo.Pages{}
		if p.Number > 1 {
			links.Pages.First, links.Pages.Prev = at(1), at(p.Number-1)
		}
		if p.Number < p.Last() {
			links.Pages.Next, links.Pages.Last = at(p.Number+1), at(p.Last())
		}
	}
	return page, listMeta{Links: links, Meta: &godo.Meta{Total: p.Total}}
}

func pathID(r *http.Request, name string) (int, error) {
	n, err := strconv.Atoi(r.PathValue(name))
	if err != nil {
		return 0, notFound()
	}
	return n, nil
}
