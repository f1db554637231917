package store

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startPostgres runs a server of its own in a temporary directory, or skips.
func startPostgres(t *testing.T) string {
	t.Helper()
	bin, err := exec.LookPath("postgres")
	if err == nil {
		bin, err = filepath.EvalSymlinks(bin)
	}
	if err != nil {
		t.Skipf("PostgreSQL is not installed (apt-get install postgresql): %v", err)
	}
	dir, err := os.MkdirTemp("", "construct-pg-") //nolint:usetesting // the server, as nobody, cannot enter the parents of t.TempDir
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	attr := &syscall.SysProcAttr{}
	if os.Getuid() == 0 { // the server refuses to run as root
		u, err := user.Lookup("nobody")
		require.NoError(t, err)
		uid, err := strconv.Atoi(u.Uid)
		require.NoError(t, err)
		require.NoError(t, os.Chown(dir, uid, uid))
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}
	}
	run := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(filepath.Join(filepath.Dir(bin), name), args...)
		c.SysProcAttr, c.Dir = attr, dir
		return c
	}
	out, err := run("initdb", "-D", dir+"/data", "-U", "construct", "-A", "trust", "--no-sync").CombinedOutput()
	require.NoError(t, err, string(out))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	c := run("postgres", "-D", dir+"/data", "-p", strconv.Itoa(port), "-k", dir, "-c", "listen_addresses=127.0.0.1")
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGINT)
		_ = c.Wait()
	})
	// It listens before it takes logins.
	require.Eventually(t, func() bool {
		return run("pg_isready", "-q", "-h", "127.0.0.1", "-p", strconv.Itoa(port)).Run() == nil
	}, 30*time.Second, 100*time.Millisecond)
	return fmt.Sprintf("postgres://construct@127.0.0.1:%d/postgres", port)
}

func TestMigrateForReal(t *testing.T) {
	t.Parallel()
	url := startPostgres(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	old, err := Migrations("0.7.0")
	require.NoError(t, err)
	newer, err := Migrations("0.8.0")
	require.NoError(t, err)

	// Four services start at once and race for the lock.
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() {
			pool, err := Postgres(ctx, url)
			if err != nil {
				errs[i] = err
				return
			}
			defer pool.Close()
			errs[i] = Migrate(ctx, pool, old)
		})
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	pool, err := Postgres(ctx, url)
	require.NoError(t, err)
	defer pool.Close()
	require.EqualValues(t, 10, pool.Config().MaxConns)
	require.NoError(t, Migrate(ctx, pool, newer))
	require.ErrorContains(t, Migrate(ctx, pool, old), "missing in the resolved migrations", "an older release refuses a newer schema")
}
