package cloud

import "strings"

// Scope is what makes a stack's resources its own: two stacks in one account
// share no name, label or tag.
type Scope struct {
	Project string // "construct"
	Stack   string // "prod"
	Region  string // the cloud's own slug
}

// Name prefixes parts with project and stack: "construct-prod-db-1". Without
// parts it is the deployment's own name, "construct-prod".
func (s Scope) Name(parts ...string) string {
	return strings.Join(append([]string{s.Project, s.Stack}, parts...), "-")
}
