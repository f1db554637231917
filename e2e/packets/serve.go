package packets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// Listen says what answers.
type Listen struct {
	Name      string   // the answer to every probe
	Addresses []string // local addresses; "" is every one
	TCP, UDP  []int
}

// Serve answers on every address and port until ctx ends. It fails if one of
// them is taken: a port that nobody listens on would look filtered. ready is
// called once all are open.
func Serve(ctx context.Context, l Listen, ready func()) error {
	var config net.ListenConfig
	var errs []error
	for _, address := range l.Addresses {
		for _, port := range l.TCP {
			listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(address, strconv.Itoa(port)))
			if err != nil {
				errs = append(errs, err)
				continue
			}
			go acceptAll(listener, l.Name)
		}
		for _, port := range l.UDP {
			conn, err := config.ListenPacket(ctx, "udp", net.JoinHostPort(address, strconv.Itoa(port)))
			if err != nil {
				errs = append(errs, err)
				continue
			}
			go answerAll(conn, l.Name)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	ready()
	<-ctx.Done()
	return nil
}

func acceptAll(listener net.Listener, name string) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			time.Sleep(time.Millisecond) // too many open files, or the end
			continue
		}
		go func() {
			_, _ = conn.Write([]byte(name + "\n"))
			// Then it says what it hears, to who stays: one that is cut notices.
			_ = conn.SetDeadline(time.Now().Add(10 * time.Minute))
			_, _ = io.Copy(conn, conn)
			_ = conn.Close()
		}()
	}
}

func answerAll(conn net.PacketConn, name string) {
	buffer := make([]byte, 64)
	for {
		_, from, err := conn.ReadFrom(buffer)
		if err != nil {
			time.Sleep(time.Millisecond)
			continue
		}
		_, _ = conn.WriteTo([]byte(name+"\n"), from)
	}
}
