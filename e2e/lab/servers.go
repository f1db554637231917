package lab

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// AdminUser is the login on every simulated host, the program's default.
const AdminUser = "construct"

// Server is one server as the stack's outputs describe it.
type Server struct {
	Role, Name, PublicIP, PrivateIP, SSHCommand string
}

// Servers are the servers in a stack's outputs, the gateway first.
func Servers(outputs auto.OutputMap) ([]Server, error) {
	var servers []Server
	for key, output := range outputs {
		role, ok := strings.CutSuffix(key, "Server")
		if !ok {
			continue
		}
		fields, ok := output.Value.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("output %s: %T (want an object)", key, output.Value)
		}
		text := func(name string) string { s, _ := fields[name].(string); return s }
		servers = append(servers, Server{
			Role: role, Name: text("name"), PublicIP: text("publicIp"),
			PrivateIP: text("privateIp"), SSHCommand: text("sshCommand"),
		})
	}
	slices.SortFunc(servers, func(a, b Server) int { return strings.Compare(a.order(), b.order()) })
	if len(servers) == 0 || servers[0].Role != "gateway" {
		return nil, fmt.Errorf("outputs: no gatewayServer among %d servers", len(servers))
	}
	return servers, nil
}

func (s Server) order() string {
	if s.Role == "gateway" {
		return ""
	}
	return s.Role
}
