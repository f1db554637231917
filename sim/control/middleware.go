package control

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/construct-server/infra/sim/api"
)

// maxBody bounds what the middleware keeps of a request, in bytes.
const maxBody = 1 << 20

// Wrap puts the request log and the faults in front of a cloud.
func (c *Control) Wrap(cloud api.Cloud) http.Handler {
	c.mu.Lock()
	c.clouds = append(c.clouds, cloud)
	c.mu.Unlock()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
		if err != nil {
			cloud.WriteStatus(w, http.StatusBadRequest, 0)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		route := r.URL.Path
		if pattern := cloud.Route(r); pattern != "" {
			_, route, _ = strings.Cut(pattern, " ")
		}
		entry := Request{Time: started, Cloud: cloud.Name(), Method: r.Method, Route: route, Path: r.URL.Path}
		out := &recorder{ResponseWriter: w}
		lost := false
		if f := c.strike(func(f *Fault) bool { return f.matches(r.Method, route, body) }); f != nil {
			entry.Fault = f.Kind
			lost = c.suffer(f, cloud, out, r)
		} else {
			cloud.ServeHTTP(out, r)
		}
		entry.Status, entry.ElapsedMS = out.status, time.Since(started).Milliseconds()
		if lost {
			entry.Status = 0
		}
		c.log(entry)
		if lost {
			panic(http.ErrAbortHandler) // net/http's way to drop the connection
		}
	})
}

// suffer answers a request under a fault; true means that the answer is lost.
func (c *Control) suffer(f *Fault, cloud api.Cloud, w http.ResponseWriter, r *http.Request) bool {
	switch f.Kind {
	case Status:
		cloud.WriteStatus(w, f.Status, f.RetryAfter)
	case Capacity:
		cloud.WriteCapacity(w)
	case LostAnswer:
		// The work must not end with the connection that is about to be dropped.
		cloud.ServeHTTP(&discard{header: http.Header{}}, r.WithContext(context.WithoutCancel(r.Context())))
		return true
	case Stall:
		<-r.Context().Done()
		return true
	case StallDone:
		cloud.ServeHTTP(&discard{header: http.Header{}}, r.WithContext(context.WithoutCancel(r.Context())))
		<-r.Context().Done()
		return true
	default:
		select {
		case <-time.After(time.Duration(f.DelayMS) * time.Millisecond):
		case <-r.Context().Done():
		}
		cloud.ServeHTTP(w, r)
	}
	return false
}

// recorder remembers the status.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// discard is the answer that nobody hears.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}
