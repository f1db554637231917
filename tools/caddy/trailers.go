package main

import (
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() {
	caddy.RegisterModule(dropTrailers{})
	httpcaddyfile.RegisterHandlerDirective("drop_trailers", func(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
		h.Next() // the directive's name; it takes nothing
		if h.NextArg() || h.NextBlock(0) {
			return nil, h.ArgErr()
		}
		return dropTrailers{}, nil
	})
}

// dropTrailers forgets the request's trailers, which reverse_proxy passes on
// and request_header does not reach: they would carry identity headers past it.
type dropTrailers struct{}

// CaddyModule says what the module is called.
func (dropTrailers) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.drop_trailers",
		New: func() caddy.Module { return dropTrailers{} },
	}
}

// ServeHTTP leaves net/http's own request alone, where trailers arrive when
// the body has been read: this one is Caddy's copy.
func (dropTrailers) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	r.Trailer = nil
	return next.ServeHTTP(w, r)
}
