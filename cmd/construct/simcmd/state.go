package simcmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim/control"
)

// answerTimeout is how long a simulator that is alive may be silent: it shares
// its processors with the hosts that it runs.
const answerTimeout = 30 * time.Second

// state is what `sim up` leaves in .sim/ for later commands.
type state struct {
	root string // the checkout
	dir  string // root/.sim
}

// openState finds the checkout that the working directory is in. It writes
// nothing: only `sim up` has something to leave.
func openState() (state, error) {
	dir, err := os.Getwd()
	if err != nil {
		return state{}, err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "Pulumi.yaml")); err == nil {
			return state{root: dir, dir: filepath.Join(dir, ".sim")}, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return state{}, errors.New("no Pulumi.yaml here or above (want a checkout of this repository)")
		}
		dir = parent
	}
}

func (s state) path(name string) string { return filepath.Join(s.dir, name) }

// described is what the simulator that was started last said of itself, or
// false if it never got so far or took it back, which it does when it ends.
func (s state) described() (control.Info, bool) {
	data, err := os.ReadFile(s.path("info.json"))
	if err != nil {
		return control.Info{}, false
	}
	var info control.Info
	return info, json.Unmarshal(data, &info) == nil && info.Control != ""
}

// simulator returns the running simulator's description, or false.
func (s state) simulator(ctx context.Context) (control.Info, bool) {
	info, ok := s.described()
	if !ok {
		return control.Info{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	info, err := lab.Control{Base: info.Control}.Info(ctx)
	return info, err == nil
}

// find returns the simulator that runs here, or false. One that is alive gets
// time to answer: a deployment is not given up because a machine is busy, and
// whoever interrupted an up finds its simulator still building images. One that
// is dead is not asked: its port may be another simulator's by now.
func (s state) find(ctx context.Context, step func(string, ...any)) (control.Info, bool, error) {
	pid, err := s.pid()
	if err != nil {
		return control.Info{}, false, err
	}
	var silent time.Time // since when it has described itself and said nothing
	for waits := 0; pid != 0 && s.owns(pid); waits++ {
		if info, ok := s.simulator(ctx); ok {
			return info, true, nil
		}
		switch _, described := s.described(); {
		case !described && waits == 0:
			step("the simulator is still starting; log: .sim/simulator.log")
		case described && silent.IsZero():
			silent = time.Now()
		case described && time.Since(silent) > answerTimeout:
			return control.Info{}, false, fmt.Errorf("the simulator (process %d) runs but does not answer; its log is .sim/simulator.log (make down ends it)", pid)
		}
		select {
		case <-ctx.Done():
			return control.Info{}, false, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	return control.Info{}, false, nil
}

// serve starts `construct sim serve` in the background and waits until it
// answers. It outlives this process.
func (s state) serve(ctx context.Context, hosts string) (control.Info, error) {
	if err := os.Remove(s.path("info.json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return control.Info{}, err
	}
	logFile, err := os.OpenFile(s.path("simulator.log"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return control.Info{}, err
	}
	defer func() { _ = logFile.Close() }()
	self, err := os.Executable()
	if err != nil {
		return control.Info{}, err
	}
	cmd := exec.Command(self, "sim", "serve", "--hosts", hosts, "--info", s.path("info.json")) //nolint:gosec,noctx // must outlive us
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.root, logFile, logFile
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return control.Info{}, fmt.Errorf("start the simulator: %w", err)
	}
	if err := os.WriteFile(s.path("simulator.pid"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o600); err != nil {
		return control.Info{}, err
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	return s.await(ctx, exited)
}

// await polls until the simulator answers or ends.
func (s state) await(ctx context.Context, exited <-chan error) (control.Info, error) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return control.Info{}, ctx.Err()
		case err := <-exited:
			return control.Info{}, fmt.Errorf("the simulator ended: %w; its log:\n%s", err, s.tail("simulator.log", 30))
		case <-tick.C:
			if info, ok := s.simulator(ctx); ok {
				return info, nil
			}
		}
	}
}

// tail is the last lines of a file in .sim/.
func (s state) tail(name string, lines int) string {
	data, err := os.ReadFile(s.path(name))
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// pid is the process that serve started last; 0 if there was none.
func (s state) pid() (int, error) {
	data, err := os.ReadFile(s.path("simulator.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return 0, fmt.Errorf("read simulator.pid: %w", err)
	}
	return pid, nil
}

// stop ends the simulator that serve started, if it runs, and waits: it
// removes every host on its way out.
func (s state) stop(ctx context.Context) error {
	pid, err := s.pid()
	if err != nil {
		return err
	}
	if pid == 0 || !s.owns(pid) {
		return nil // ended before; the number may be another process's by now
	}
	// A process that is stopped (a shell's Ctrl-Z) ends only once it continues.
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGCONT} {
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop the simulator (process %d): %w", pid, err)
		}
	}
	for s.owns(pid) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the simulator (process %d): %w", pid, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
	return nil
}

// owns tells whether a process is a simulator of this checkout.
func (s state) owns(pid int) bool {
	args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && strings.Contains(string(args), s.path("info.json"))
}
