package fleetcmd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/construct-server/infra/cmd/construct/pulumicli"
)

// keySetting names the operator's private key in the stack's configuration.
const keySetting = "construct:ssh.privateKeyPath"

// read returns the fleet, and the file of the private key if one is given.
func (o *options) read(ctx context.Context) (*fleet, string, error) {
	if o.outputs != "" {
		data, err := os.ReadFile(o.outputs)
		if err != nil {
			return nil, "", fmt.Errorf("read the stack's outputs: %w", err)
		}
		f, err := parseFleet(data)
		return f, o.key, err
	}
	pulumi, err := pulumicli.New(o.dir, o.stack)
	if err != nil {
		return nil, "", err
	}
	// Side by side: the CLI takes its time to start.
	configured := make(chan string, 1)
	go func() {
		if o.key != "" {
			configured <- o.key
			return
		}
		path, known := o.configured()
		if !known {
			// It fails where nothing is set; what else is wrong, stack output says.
			out, _ := pulumi.Run(ctx, "config", "get", "--path", keySetting)
			path = strings.TrimSpace(string(out))
		}
		configured <- o.resolve(path)
	}()
	out, err := pulumi.Run(ctx, "stack", "output", "--json")
	key := <-configured
	if err != nil {
		return nil, "", err
	}
	f, err := parseFleet(out)
	return f, key, err
}

// configured reads the key's path from the stack's file, if the stack is named:
// which one is selected, only Pulumi knows.
func (o *options) configured() (path string, known bool) {
	stack := o.stack
	if stack == "" {
		stack = os.Getenv("PULUMI_STACK")
	}
	if stack == "" {
		return "", false
	}
	data, err := os.ReadFile(filepath.Join(o.dir, "Pulumi."+stack[strings.LastIndex(stack, "/")+1:]+".yaml"))
	if err != nil {
		return "", false
	}
	var file struct {
		Config struct {
			SSH struct {
				PrivateKeyPath string `yaml:"privateKeyPath"`
			} `yaml:"construct:ssh"`
		} `yaml:"config"`
	}
	if yaml.Unmarshal(data, &file) != nil {
		return "", false // pulumi says what is wrong with it
	}
	return file.Config.SSH.PrivateKeyPath, true
}

// resolve reads a path as the program does: from the project, ~ being home.
func (o *options) resolve(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(o.dir, path)
}
