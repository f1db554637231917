package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sick is a host on which the deploy scripts run as they are, below a directory
// of its own, and on which no release gets well: each of its services prints,
// in its logs and in its health check, every secret that the release holds.
type sick struct {
	root    string // the checkout
	dir     string
	secrets map[string]string
}

// run is one command of the program's, with what it gets on standard input.
func (s sick) run(command string, stdin []byte) (stdout, stderr string, exit int) {
	host, fake := filepath.Join(s.dir, "root"), filepath.Join(s.dir, "fake")
	for _, dir := range []string{"etc/construct", "var/lib/construct/releases", "var/lib/construct/config", "var/lib/construct/incoming", "run/construct"} {
		if err := os.MkdirAll(filepath.Join(host, dir), 0o700); err != nil {
			return "", err.Error(), 1
		}
	}
	logs, err := s.logs(stdin)
	if err == nil {
		err = os.MkdirAll(fake, 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(fake, "logs"), []byte(logs), 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(host, "etc", "construct", "name"), []byte("construct-test-sick-1\n"), 0o600)
	}
	if err != nil {
		return "", err.Error(), 1
	}
	scripts := filepath.Join(s.root, "deploy", "scripts")
	shell := exec.Command("bash", "-c", command) //nolint:noctx // it ends by itself
	shell.Stdin = bytes.NewReader(stdin)
	shell.Env = []string{
		"PATH=" + filepath.Join(s.root, "e2e", "testdata", "bin") + ":" + os.Getenv("PATH"), "SCRIPTS=" + scripts,
		"CONSTRUCT_ROOT=" + host, "CONSTRUCT_LIB=" + filepath.Join(scripts, "lib"), "CONSTRUCT_WHO=alice", "FAKE=" + fake,
	}
	var out, errs bytes.Buffer
	shell.Stdout, shell.Stderr = &out, &errs
	if err := shell.Run(); err != nil {
		exit = max(1, shell.ProcessState.ExitCode())
	}
	return out.String(), errs.String(), exit
}

// logs are what the services print: each secret alone, as a program quotes it,
// and where a line is cut.
func (s sick) logs(stdin []byte) (string, error) {
	files, err := bundleFiles(stdin)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for _, name := range heldIn(files, s.secrets) {
		if name == publicSecret || name == previousPublicSecret {
			continue
		}
		for i, line := range strings.Split(strings.TrimSpace(s.secrets[name]), "\n") {
			fmt.Fprintf(&out, "%s %d: %s\n", name, i, line)
			fmt.Fprintf(&out, "%s %d: {\"value\": %q}\n", name, i, line)
			fmt.Fprintf(&out, "%s %d: %s%s\n", name, i, strings.Repeat(".", 500-len(name)-20), line)
		}
	}
	return out.String(), nil
}

// bundled is one file of a bundle.
type bundled struct {
	header  *tar.Header
	content string
}

// bundleFiles unpacks what a release command gets on standard input. Of another
// command's there is nothing.
func bundleFiles(stdin []byte) ([]bundled, error) {
	_, payload, found := bytes.Cut(stdin, []byte("\n\n"))
	if !found {
		return nil, nil
	}
	packed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(payload)))
	if err != nil {
		return nil, nil //nolint:nilerr // not a bundle
	}
	archive, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack bundle: %w", err)
	}
	var files []bundled
	for r := tar.NewReader(archive); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("unpack bundle: %w", err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, fmt.Errorf("unpack bundle: %w", err)
		}
		files = append(files, bundled{header, string(content)})
	}
}

// heldIn are the secrets that are in some file, by name.
func heldIn(files []bundled, secrets map[string]string) []string {
	held := map[string]bool{}
	for _, f := range files {
		for name, value := range secrets {
			if strings.Contains(f.content, strings.TrimSpace(value)) {
				held[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(held))
}

// bundleKeepsSecrets checks what a host is sent: what holds a secret is for
// its owner alone, and the operator's own secrets are in nothing.
func bundleKeepsSecrets(t *testing.T, find *canaries, host string, stdin []byte) {
	t.Helper()
	files, err := bundleFiles(stdin)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	private := 0
	for _, f := range files {
		where := host + ": " + f.header.Name
		if f.header.Name == "env/" {
			assert.EqualValues(t, 0o700, f.header.Mode, where)
		}
		for _, what := range find.in(f.content) {
			secret, _, _ := strings.Cut(what, ", ")
			if secret == publicSecret || secret == previousPublicSecret {
				continue
			}
			private++
			assert.Zero(t, f.header.Mode&0o077, "%s has mode %o and holds %s", where, f.header.Mode, what)
			assert.False(t, operatorOnly(secret), "%s holds %s, which no host needs", where, what)
			env := strings.HasPrefix(f.header.Name, "env/")
			assert.True(t, env || strings.HasPrefix(f.header.Name, "config/"), "%s holds %s", where, what)
			assert.True(t, !env || f.header.Uid == 0, "%s belongs to %d", where, f.header.Uid)
		}
	}
	assert.Positive(t, private, "%s is sent no secret at all", host)
}

// Public keys are kept with the secrets for being a pair with one of them.
const (
	publicSecret         = "secrets.jwtPublicKey"
	previousPublicSecret = "secrets.jwtPreviousPublicKey"
)

// operatorOnly are the secrets that never leave the operator's machine, but for
// the cloud's API and the hosts' own keys.
func operatorOnly(secret string) bool {
	return strings.HasPrefix(secret, "ssh.") || strings.HasPrefix(secret, "registries") || strings.HasSuffix(secret, ":token") ||
		strings.HasPrefix(secret, hostKeyOf("")) || slices.Contains([]string{"secrets.hostKeySeed", "secrets.previousHostKeySeed", "secrets.internalSeed"}, secret)
}
