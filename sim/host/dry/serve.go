package dry

import (
	"context"
	"io"
	"net"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/construct-server/infra/sim/host"
)

// stdinIdle is how long a command waits for more standard input before it
// ends without having seen its end: at a terminal, ssh never closes it.
const stdinIdle = time.Second

// serve speaks SSH on one connection until either side ends it.
func (m *machine) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	life, config, slow, ok := m.track(conn)
	if !ok {
		return
	}
	defer m.untrack(conn)
	select {
	case <-time.After(slow):
	case <-life.Done():
		return
	}
	server, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return // a scanner, a wrong key or a wrong host key: sshd logs and forgets
	}
	defer func() { _ = server.Close() }()
	go ssh.DiscardRequests(requests)
	for request := range channels {
		switch request.ChannelType() {
		case "session":
			channel, requests, err := request.Accept()
			if err == nil {
				go m.session(life, server.User(), conn, channel, requests)
			}
		case "direct-tcpip":
			go m.forward(request)
		default:
			// The client is told; there is nothing to do when it is gone.
			_ = request.Reject(ssh.UnknownChannelType, request.ChannelType())
		}
	}
}

func (m *machine) track(conn io.Closer) (context.Context, *ssh.ServerConfig, time.Duration, bool) {
	m.backend.mu.Lock()
	defer m.backend.mu.Unlock()
	if !m.reachable() {
		return nil, nil, 0, false
	}
	m.conns[conn] = true
	return m.life, m.config, m.backend.slow, true
}

func (m *machine) untrack(conn io.Closer) {
	m.backend.mu.Lock()
	defer m.backend.mu.Unlock()
	delete(m.conns, conn)
}

// session serves one session channel: one exec, or a shell that ends with its
// standard input.
func (m *machine) session(life context.Context, user string, conn net.Conn, channel ssh.Channel, requests <-chan *ssh.Request) {
	defer func() { _ = channel.Close() }()
	for request := range requests {
		switch request.Type {
		case "exec", "shell":
			var exec struct{ Command string }
			if request.Type == "exec" && ssh.Unmarshal(request.Payload, &exec) != nil {
				_ = request.Reply(false, nil) // a lost reply means a lost client
				return
			}
			_ = request.Reply(true, nil)
			go ssh.DiscardRequests(requests)
			m.exec(life, user, exec.Command, conn, channel)
			return
		case "env", "pty-req", "window-change":
			_ = request.Reply(true, nil)
		default: // subsystem, x11, agent forwarding
			_ = request.Reply(false, nil)
		}
	}
}

func (m *machine) exec(life context.Context, user, command string, conn net.Conn, channel ssh.Channel) {
	start := time.Now()
	stdin := drain(life, channel)
	m.cutIn(life, conn, command)
	if waitsForBoot(command) || waitsForBoot(string(stdin)) {
		m.awaitBoot(life)
	}
	if life.Err() != nil {
		return // the power went: no exit status, as on a real host
	}
	stdout, stderr, exit := m.backend.answer(m.spec.ID, command, stdin)
	m.backend.record(m.spec.ID, host.Command{
		Time: start, User: user, Text: command, Exit: exit, Elapsed: time.Since(start),
	})
	// The client may be gone; the command ran all the same.
	_, _ = io.WriteString(channel, stdout)
	_, _ = io.WriteString(channel.Stderr(), stderr)
	_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(exit)}))
}

// cutIn cuts the connection of a command that is under way, if a fault says so.
// The command goes on: what matters of it runs apart from the connection.
func (m *machine) cutIn(life context.Context, conn net.Conn, command string) {
	m.backend.mu.Lock()
	ask := m.backend.cut
	m.backend.mu.Unlock()
	after, cut := ask(m.spec.ID, command)
	if !cut {
		return
	}
	select {
	case <-time.After(after):
	case <-life.Done():
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset; what fails here is as good as cut
	}
	_ = conn.Close()
}

// waitsForBoot tells whether a command, or the script that a shell reads, waits
// for the end of cloud-init.
func waitsForBoot(text string) bool {
	return strings.Contains(text, "cloud-init status") && strings.Contains(text, "--wait")
}

// answer is what a test says that a command does: by default nothing, well.
func (b *Backend) answer(hostID, command string, stdin []byte) (stdout, stderr string, exit int) {
	switch {
	case b.opts.Execute != nil:
		return b.opts.Execute(hostID, command, stdin)
	case b.opts.Respond != nil:
		stdout, exit = b.opts.Respond(hostID, command)
	}
	return stdout, "", exit
}

func (m *machine) awaitBoot(life context.Context) {
	m.backend.mu.Lock()
	booted := m.booted
	m.backend.mu.Unlock()
	select {
	case <-booted:
	case <-life.Done():
	}
}

// drain reads standard input to its end, or until the client falls silent.
func drain(life context.Context, r io.Reader) []byte {
	chunks, left := make(chan []byte), make(chan struct{})
	defer close(left)
	go func() {
		defer close(chunks)
		for {
			buffer := make([]byte, 32<<10)
			n, err := r.Read(buffer)
			select {
			case chunks <- buffer[:n]:
			case <-left:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	idle := time.NewTimer(stdinIdle)
	defer idle.Stop()
	var all []byte
	for {
		select {
		case chunk, more := <-chunks:
			if !more {
				return all
			}
			all = append(all, chunk...)
			idle.Reset(stdinIdle)
		case <-idle.C:
			return all
		case <-life.Done():
			return all
		}
	}
}
