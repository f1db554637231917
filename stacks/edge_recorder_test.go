package stacks

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// framing is how a server finds the end of a request's body. Servers that
// disagree about it are what smuggling needs.
type framing int

const (
	byLength framing = iota // Content-Length before Transfer-Encoding
	byChunks                // Transfer-Encoding before Content-Length
	byNobody                // neither: what follows the header is the next request
)

// recorder is an upstream that takes requests apart with its own hands, so as
// not to share a mistake with the edge, and keeps what came.
type recorder struct {
	mu     sync.Mutex
	seen   []string // head and body of each request
	broken []string // of those that broke off, which no server would act upon
}

func (r *recorder) run(t *testing.T, f framing) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.Map
	t.Cleanup(func() {
		_ = l.Close()
		conns.Range(func(c, _ any) bool { return c.(net.Conn).Close() == nil })
	})
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns.Store(conn, nil)
			go r.serve(conn, f)
		}
	}()
	return l.Addr().String()
}

func (r *recorder) serve(conn net.Conn, f framing) {
	defer func() { _ = conn.Close() }()
	for in := bufio.NewReader(conn); ; {
		head, err := readHead(in)
		if head == "" {
			return
		}
		var body string
		if err == nil {
			body, err = readBody(in, head, f)
		}
		r.keep(head+body, err == nil)
		if err != nil {
			return
		}
		if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); err != nil {
			return
		}
	}
}

func (r *recorder) keep(request string, whole bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if whole {
		r.seen = append(r.seen, request)
	} else {
		r.broken = append(r.broken, request)
	}
}

func readHead(in *bufio.Reader) (string, error) {
	var head strings.Builder
	for {
		line, err := in.ReadString('\n')
		head.WriteString(line)
		if err != nil || strings.TrimRight(line, "\r\n") == "" {
			return head.String(), err
		}
	}
}

// values are a header's, as they stand.
func values(head, name string) []string {
	var all []string
	for _, line := range strings.Split(head, "\n")[1:] {
		key, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(strings.TrimSpace(key), name) {
			all = append(all, strings.TrimSpace(value))
		}
	}
	return all
}

func readBody(in *bufio.Reader, head string, f framing) (string, error) {
	length, chunked := values(head, "Content-Length"), values(head, "Transfer-Encoding")
	switch {
	case f == byNobody:
		return "", nil
	case len(length) > 0 && (f == byLength || len(chunked) == 0):
		n, err := strconv.Atoi(length[len(length)-1])
		if err != nil {
			return "", err
		}
		body := make([]byte, n)
		read, err := io.ReadFull(in, body)
		return string(body[:read]), err
	case len(chunked) > 0:
		return readChunks(in)
	}
	return "", nil
}

func readChunks(in *bufio.Reader) (string, error) {
	var body strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return body.String(), err
		}
		size, err := strconv.ParseInt(strings.TrimSpace(line), 16, 32)
		if err != nil {
			return body.String(), fmt.Errorf("chunk size: %w", err)
		}
		if size == 0 {
			trailer, err := readHead(in)
			return body.String() + strings.TrimRight(trailer, "\r\n"), err
		}
		if _, err := io.CopyN(&body, in, size); err != nil {
			return body.String(), err
		}
		if _, err := in.ReadString('\n'); err != nil {
			return body.String(), err
		}
	}
}

// fragments are the requests that broke off so far.
func (r *recorder) fragments() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.broken)
}

// requests are those that came so far, whole.
func (r *recorder) requests() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

func (r *recorder) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen, r.broken = nil, nil
}
