package hetzner

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/construct-server/infra/sim/api"
	"github.com/hetznercloud/hcloud-go/v2/hcloud/schema"
)

// Hetzner's pages hold 25 entries unless asked, and never more than 50.
const (
	pageSize  = 25
	pageLimit = 50
)

// apiError is an error answer: an HTTP status with {error: {code, message}}.
type apiError struct {
	status  int
	code    string
	message string
	field   string // of an invalid_input, may be empty
}

func (e *apiError) Error() string { return e.message }

func fail(status int, code, format string, args ...any) error {
	return &apiError{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

func notFound(kind string, id any) error {
	return fail(http.StatusNotFound, "not_found", "%s with ID '%v' not found", kind, id)
}

// invalid is a 422 that names the field at fault.
func invalid(field, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	return &apiError{http.StatusUnprocessableEntity, "invalid_input", fmt.Sprintf("invalid input in field '%s': %s", field, text), field}
}

func taken(kind string) error {
	return fail(http.StatusConflict, "uniqueness_error", "%s name is already used", kind)
}

func locked(kind string) error {
	return fail(http.StatusLocked, "locked", "%s is locked: there is already an action running", kind)
}

func protected(kind string) error {
	return fail(http.StatusLocked, "protected", "%s deletion is protected", kind)
}

func inUse(format string, args ...any) error {
	return fail(http.StatusConflict, "resource_in_use", format, args...)
}

type errorBody struct {
	Error struct {
		Code    string        `json:"code"`
		Message string        `json:"message"`
		Details *errorDetails `json:"details"`
	} `json:"error"`
}

type errorDetails struct {
	Fields []errorField `json:"fields"`
}

type errorField struct {
	Name     string   `json:"name"`
	Messages []string `json:"messages"`
}

func writeError(w http.ResponseWriter, err error) {
	var e *apiError
	if !errors.As(err, &e) {
		e = &apiError{status: http.StatusInternalServerError, code: "server_error", message: err.Error()}
	}
	var body errorBody
	body.Error.Code, body.Error.Message = e.code, e.message
	if e.code == "invalid_input" {
		body.Error.Details = &errorDetails{Fields: []errorField{}}
		if e.field != "" {
			body.Error.Details.Fields = append(body.Error.Details.Fields, errorField{e.field, []string{e.message}})
		}
	}
	api.Write(w, e.status, body)
}

// WriteStatus implements api.Cloud.
func (c *Cloud) WriteStatus(w http.ResponseWriter, status, retryAfter int) {
	if retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	codes := map[int][2]string{
		http.StatusUnauthorized:       {"unauthorized", "unable to authenticate"},
		http.StatusForbidden:          {"forbidden", "insufficient permissions for this request"},
		http.StatusNotFound:           {"not_found", "resource not found"},
		http.StatusConflict:           {"conflict", "the resource has changed during the request, please retry"},
		http.StatusLocked:             {"locked", "the resource is locked: there is already an action running"},
		http.StatusTooManyRequests:    {"rate_limit_exceeded", "limit of 3600 requests per hour reached"},
		http.StatusBadGateway:         {"bad_gateway", "the request could not be answered by the backend, please retry"},
		http.StatusServiceUnavailable: {"unavailable", "service is temporarily unavailable"},
		http.StatusGatewayTimeout:     {"timeout", "the request could not be answered in time, please retry"},
	}
	text, ok := codes[status]
	if !ok {
		text = [2]string{"server_error", "an internal error occurred"}
	}
	writeError(w, &apiError{status: status, code: text[0], message: text[1]})
}

// WriteCapacity implements api.Cloud.
func (c *Cloud) WriteCapacity(w http.ResponseWriter) {
	writeError(w, fail(http.StatusPreconditionFailed, "resource_unavailable",
		"we are currently unable to create servers of this type in this location"))
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
		return &apiError{status: http.StatusUnprocessableEntity, code: "invalid_input", message: err.Error()}
	}
	return nil
}

// paginate cuts a page and describes it as Hetzner does.
func paginate[T any](r *http.Request, all []T) ([]T, schema.Meta) {
	page, p := api.Paginate(r, all, pageSize, pageLimit)
	if page == nil {
		page = []T{}
	}
	m := &schema.MetaPagination{Page: p.Number, PerPage: p.Size, LastPage: p.Last(), TotalEntries: p.Total}
	if p.Number > 1 {
		m.PreviousPage = p.Number - 1
	}
	if p.Number < p.Last() {
		m.NextPage = p.Number + 1
	}
	return page, schema.Meta{Pagination: m}
}

func pathID(r *http.Request, kind string) (int64, error) {
	n, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, notFound(kind, r.PathValue("id"))
	}
	return n, nil
}
