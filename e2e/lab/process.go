package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process is a command of the Pulumi CLI or of construct, in the lab's project,
// that a test may kill: the Automation API gives no hold of its process.
type Process struct {
	Out  *bytes.Buffer // what it printed, to be read once it has ended
	done chan struct{}
	err  error
	cmd  *exec.Cmd
}

// Run starts a program of .tools/bin in a session of its own.
func (l *Lab) Run(ctx context.Context, program string, args ...string) (*Process, error) {
	p := &Process{Out: &bytes.Buffer{}, done: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, filepath.Join(l.Engine.root, ".tools", "bin", program), args...)
	p.cmd.Dir, p.cmd.Env = l.workDir, append(l.Engine.Env(), "HOME="+os.Getenv("HOME"), "PULUMI_SKIP_UPDATE_CHECK=true")
	p.cmd.Stdout, p.cmd.Stderr = p.Out, p.Out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for its end; the error has what it printed.
func (p *Process) Wait() error {
	<-p.done
	if p.err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(p.cmd.Args[1:], " "), p.err, p.Out)
	}
	return nil
}

// Kill ends the process and all that it started, at once. The CLI puts each
// plugin into a process group of its own, so it is the session that is killed.
func (p *Process) Kill() error {
	deadline := time.Now().Add(10 * time.Second)
	for {
		pids, err := session(p.cmd.Process.Pid)
		if err != nil {
			return err
		}
		if len(pids) == 0 {
			<-p.done
			return nil
		}
		for _, pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("kill %d: %w", pid, err)
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("kill session %d: %v do not end", p.cmd.Process.Pid, pids)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// session lists the living processes of a session.
func session(leader int) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		data, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue // it has ended meanwhile
		}
		// The name is in parentheses and may hold anything; after it come
		// state, parent, group, session.
		fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
		if len(fields) > 3 && fields[0] != "Z" && fields[3] == strconv.Itoa(leader) {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids, nil
}
