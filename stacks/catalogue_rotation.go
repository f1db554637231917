package stacks

import "slices"

// A change of the token key pair overlaps: the services take one public key each
// (facts 1b), so that of the pair before has two services of its own while it is
// configured. gateway-previous lets in whom the old pair's tokens name; for them
// auth-previous takes old refresh tokens, gives new ones, and ends sessions.
// Which gateway a request is for, Caddy finds out (Caddyfile).

const (
	gatewayPreviousPort = 8081
	authPreviousPort    = 8006
)

// gatewayPrevious is the gateway with the public key of the pair before. It has no
// share of memory beyond its least: few tokens are old, and fewer each day.
func gatewayPrevious(gateway ServiceSpec) ServiceSpec {
	s := gateway
	s.Name, s.Program, s.MemoryShare = "gateway-previous", gateway.Name, 0
	s.Port = gatewayPreviousPort
	s.Health = httpHealth(s.Port, s.HealthPath)
	s.Needs = append([]string{"auth-previous"}, slices.DeleteFunc(slices.Clone(gateway.Needs),
		func(name string) bool { return name == "auth-service" })...)
	s.env = func(r *renderer) []variable {
		return slices.Concat(r.common(s), r.databaseUnused(), r.jwt(false), r.routes("auth-previous"))
	}
	s.files = func(r *renderer) []File { return r.previousJWTFiles(false) }
	return s
}

// authPrevious is auth with the public key of the pair before and the private key
// of the present one.
func authPrevious(auth ServiceSpec) ServiceSpec {
	s := auth
	s.Name, s.Program, s.MemoryShare = "auth-previous", auth.Name, 0
	s.Port, s.Private = authPreviousPort, []int{authPreviousPort}
	s.Health = httpHealth(s.Port, s.HealthPath)
	s.env = func(r *renderer) []variable {
		return slices.Concat(r.common(s), r.database(), r.jwt(true), r.vault())
	}
	s.files = func(r *renderer) []File { return slices.Concat(r.previousJWTFiles(true), r.databaseFiles()) }
	return s
}

// previousJWTFiles are jwtFiles with the public key of the pair before.
func (r *renderer) previousJWTFiles(private bool) []File {
	files := r.jwtFiles(private)
	for i := range files {
		if files[i].Path == jwtPublicFile {
			files[i].Content = pem(r.d.Secrets.JWTPreviousPublicKey)
		}
	}
	return files
}
