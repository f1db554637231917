package stacks

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// standIn is one of the simulator's Construct services as a process of this
// machine, on the environment and the files that its container is given.
type standIn struct {
	url     string // of its own port
	process *exec.Cmd
	mutex   sync.Mutex
	said    bytes.Buffer
}

// Write takes what the process says.
func (s *standIn) Write(p []byte) (int, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.said.Write(p)
}

func (s *standIn) log() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.said.String()
}

// fleet is where the stand-ins find what they connect to: replacements of what
// is rendered, in pairs.
type fleet struct {
	bin, dir     string
	replacements []string
}

// newFleet is a database and a Redis on this machine, for the services of d.
func newFleet(t *testing.T, d Deployment) (*fleet, *redisServer) {
	t.Helper()
	f := &fleet{bin: filepath.Join(t.TempDir(), "construct"), dir: t.TempDir()}
	out, err := exec.Command("go", "build", "-o", f.bin, "../sim/construct").CombinedOutput()
	require.NoError(t, err, "%s", out)
	postgres, redis := startPostgres(t, d), newRedis(t, d, DB, 0).start(t)
	// Who is let in is TestPostgresAdmitsItsClientsAlone's.
	hba := filepath.Join(postgres.config, "pg_hba.conf")
	text, err := os.ReadFile(hba)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(hba, append(text, "hostssl construct all 127.0.0.1/32 scram-sha-256\n"...), 0o600))
	require.NoError(t, postgres.script(t, "reload.sh"))
	f.replacements = []string{
		"db.internal:5432/construct?sslmode=verify-full", "127.0.0.1:" + strconv.Itoa(postgres.port) + "/construct?sslmode=verify-ca",
		"db.internal:6379", "127.0.0.1:" + strconv.Itoa(redis.port),
	}
	return f, redis
}

// start runs a service until it answers its health page; one without a port,
// until it says ready.
func (f *fleet) start(t *testing.T, d Deployment, role Role, service, ready string) *standIn {
	t.Helper()
	s, port := &standIn{}, freePort(t)
	s.url = "http://127.0.0.1:" + strconv.Itoa(port)
	replace := strings.NewReplacer(append(f.replacements, secretsMount, configOf(t, d, role, service))...)
	s.process = exec.Command(f.bin, service)
	s.process.Dir, s.process.Stdout, s.process.Stderr = f.dir, s, s
	s.process.Env = []string{}
	for key, value := range environments(t, d)[service] {
		if key == "PORT" {
			value = strconv.Itoa(port)
		}
		s.process.Env = append(s.process.Env, key+"="+replace.Replace(value))
	}
	require.NoError(t, s.process.Start())
	t.Cleanup(func() {
		_ = s.process.Process.Kill()
		_ = s.process.Wait()
		if t.Failed() {
			t.Logf("%s:\n%s", service, s.log())
		}
	})
	waitFor(t, 20*time.Second, service, func() error {
		if ready == "" {
			return get(s.url + "/health")
		}
		if !strings.Contains(s.log(), ready) {
			return fmt.Errorf("it does not say %q", ready)
		}
		return nil
	})
	return s
}

// post sends JSON as the gateway does for a user.
func (s *standIn) post(t *testing.T, path, user, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("X-User-Id", user)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode
}

// withKeys is a deployment whose keys the services take: real ones.
func withKeys(t *testing.T, d Deployment) Deployment {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	d.Secrets.JWTPrivateKey, d.Secrets.JWTPublicKey = string(encodePEM("PRIVATE KEY", private)), string(encodePEM("PUBLIC KEY", public))
	d.Secrets.APNsTokenKey = strings.Repeat("a1", 32)
	return d
}
