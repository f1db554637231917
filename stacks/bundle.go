package stacks

import "io/fs"

// Role is one kind of server.
type Role string

// The roles.
const (
	Gateway Role = "gateway"
	App     Role = "app"
	DB      Role = "db"
	Message Role = "message"
	Media   Role = "media"
)

// Roles lists the roles in the order in which their stacks start. media says
// whether the optional media role exists.
func Roles(media bool) []Role {
	roles := []Role{DB, Message, App}
	if media {
		roles = append(roles, Media)
	}
	return append(roles, Gateway)
}

// Host is the role's name inside the fleet ("db.internal").
func (r Role) Host() string { return string(r) + ".internal" }

// File is one file of a bundle.
type File struct {
	Path     string      // relative, slash-separated
	Mode     fs.FileMode // permission bits
	UID, GID int         // numeric owner on the host and in the container
	Content  []byte
	Secret   bool // holds a secret: never to be printed
}

// Service is one service of a bundle, as an operator is shown it.
type Service struct {
	Name         string // Compose service name
	Image        string // full reference, mirror included
	ConfigDigest string // hex; changes when anything but the image changes
	Stateful     bool   // keeps data on the role's volume
	// RestartDigest is hex; a service stops before it starts anew when this or
	// its image changes, and for nothing else. "" for what is replaced without a gap.
	RestartDigest string
	StandIn       bool   // a stand-in serves in the meantime
	Migrates      bool   // migrates the database when it starts
	Port          int    // on the private address; 0 when it publishes none
	HealthPath    string // HTTP path that answers 200 when healthy; "" when it has none
}

// Bundle is all that one server of a role needs to run its stack.
type Bundle struct {
	Role     Role
	Files    []File    // sorted by Path
	Services []Service // sorted by Name
	// Digest names the release: 24 hex characters, keyed with
	// Deployment.DigestKey so that it cannot serve to guess a secret.
	Digest string
}
