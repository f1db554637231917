package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/e2e/lab"
)

// ssh runs the very commands that the outputs print.
func (d *deployment) ssh(t *testing.T) {
	config := d.sshConfig(t)
	for _, server := range d.servers {
		words := strings.Fields(server.SSHCommand)
		args := append([]string{"-F", config}, words[1:]...)
		out, err := exec.CommandContext(t.Context(), words[0], append(args, "hostname")...).CombinedOutput()
		require.NoError(t, err, "%s: %s", server.SSHCommand, out)
		assert.Contains(t, string(out), server.Name)
	}
}

// sshConfig is an operator's, who has the key and knows the hosts'.
func (d *deployment) sshConfig(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var servers []lab.Server
	for _, server := range d.servers {
		servers = append(servers, server)
	}
	known, err := lab.KnownHosts(d.secret("hostKeySeed"), d.Sim.Info().SSHPort, servers)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "known_hosts"), []byte(known), 0o600))
	text := "Host *\n  IdentityFile " + d.KeyPath + "\n  IdentitiesOnly yes\n  StrictHostKeyChecking yes\n  UserKnownHostsFile " + dir + "/known_hosts\n"
	config := filepath.Join(dir, "config")
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	return config
}

// tunnel types the grafanaTunnel output, with a port of this machine's own that
// is free, and asks Grafana through it.
func (d *deployment) tunnel(t *testing.T) {
	outputs, err := d.Stack.Outputs(t.Context())
	require.NoError(t, err)
	printed := outputs["grafanaTunnel"].Value.(string)
	words := strings.Fields(printed)
	near, far := freePort(t), ""
	for i, word := range words {
		if word == "-L" {
			_, far, _ = strings.Cut(words[i+1], ":")
			words[i+1] = near + ":" + far
		}
	}
	require.Equal(t, "media.internal:3000", far, printed)
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	var said strings.Builder
	ssh := exec.CommandContext(ctx, words[0], append([]string{"-F", d.sshConfig(t)}, words[1:]...)...)
	ssh.Stdout, ssh.Stderr = &said, &said
	ssh.WaitDelay = 5 * time.Second // its jump has the output open as well
	require.NoError(t, ssh.Start())
	answer, err := ask(ctx, "http://127.0.0.1:"+near+"/api/health")
	hangUp()
	_ = ssh.Wait() // it was told to end
	require.NoError(t, err, "%s: %s", printed, said.String())
	assert.Contains(t, answer, `"database"`, "it is not Grafana that answers")
}

// ask is a GET, tried until somebody answers.
func ask(ctx context.Context, url string) (string, error) {
	client := http.Client{Timeout: 5 * time.Second}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		answer, err := client.Do(request)
		if err != nil {
			if time.Now().After(deadline) {
				return "", fmt.Errorf("nobody answers: %w", err)
			}
			continue
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		return string(body), err
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port
}
