// Command caddy is Caddy with two modules that the stock build lacks: a rate
// limiter, and drop_trailers of this directory.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"
	_ "github.com/mholt/caddy-ratelimit"
)

func main() { caddycmd.Main() }
