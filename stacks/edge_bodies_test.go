package stacks

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// zeros is a body of n bytes whose length its reader does not tell.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.left)
	clear(p[:n])
	z.left -= n
	return int(n), nil
}

// Every path has a largest body, whether its length is announced or not.
func TestEdgeBoundsBodies(t *testing.T) {
	t.Parallel()
	e := startEdge(t, wideOpen())
	for _, c := range []struct {
		path string
		max  int64
	}{
		{"/api/v1/auth/register-device", 128 << 10},
		{"/api/v1/messages", 256 << 10},
		{"/api/v1/keys/upload", 2 << 20},
		{"/api/v1/media/token", 2 << 20},
		{"/media/upload", (mediaMaxMB + 1) << 20},
	} {
		for _, protocol := range protocols {
			for _, announced := range []bool{true, false} {
				for size, want := range map[int64]int{c.max: http.StatusOK, c.max + 1: http.StatusRequestEntityTooLarge} {
					req := e.request(t, http.MethodPost, c.path, &zeros{size}, nil)
					if req.ContentLength = -1; announced {
						req.ContentLength = size
					}
					a := do(t, e.client(t, protocol), req)
					if a.StatusCode != want || want == http.StatusOK && a.seen.Body != size {
						t.Errorf("%s: POST %s of %d bytes, announced %v: status %d, %d arrived; want %d",
							protocol, c.path, size, announced, a.StatusCode, a.seen.Body, want)
					}
				}
			}
		}
	}
}

// More than 16 KB of headers are too many, in one or in a thousand, and nobody
// behind has to look at them.
func TestEdgeBoundsHeaders(t *testing.T) {
	t.Parallel()
	all := &recorder{}
	e := startEdgeBefore(t, wideOpen(), upstreams{gateway: all.run(t, byLength)})
	many := func(n, size int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString("X-" + strconv.Itoa(i) + ": " + strings.Repeat("a", size) + "\r\n")
		}
		return b.String()
	}
	for what, c := range map[string]struct {
		lines string
		ok    bool
	}{
		"usual":       {many(40, 100), true},
		"large token": {many(1, 12<<10), true},
		"one":         {many(1, 24<<10), false},
		"many":        {many(200, 120), false},
		"a flood":     {many(20000, 100), false},
		"long path":   {"", true},
	} {
		all.forget()
		path := "/api/v1/users/me"
		if what == "long path" {
			path += "?since=" + strings.Repeat("1", 8<<10)
		}
		codes := e.sendRaw(t, "GET "+path+" HTTP/1.1\r\nHost: "+e.host+"\r\n"+c.lines+"Connection: close\r\n\r\n", 5*time.Second)
		want, arrives := []int{431}, 0
		if c.ok {
			want, arrives = []int{200}, 1
		}
		// A flood may be cut before its answer can be read.
		if got := len(all.requests()); got != arrives || len(codes) > 0 && codes[0] != want[0] || c.ok && len(codes) == 0 {
			t.Errorf("%s: status %v and %d requests behind, want %v and %d", what, codes, got, want, arrives)
		}
	}
	long := e.sendRaw(t, "GET /api/v1/"+strings.Repeat("a", 100<<10)+" HTTP/1.1\r\nHost: "+e.host+"\r\n\r\n", 5*time.Second)
	if len(long) > 0 && long[0] != 431 && long[0] != 414 {
		t.Errorf("a path of 100 KB: %v", long)
	}
}

// A header that never ends, in continuation frames, costs its sender the
// connection and nobody else anything.
func TestEdgeCutsContinuationFloods(t *testing.T) {
	t.Parallel()
	e := startEdge(t, wideOpen())
	conn := e.raw(t, "h2")
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	var block strings.Builder
	enc := hpack.NewEncoder(&block)
	for _, f := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", e.host}, {":path", "/api/v1/users/me"}} {
		if err := enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}); err != nil {
			t.Fatal(err)
		}
	}
	if err := framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte(block.String())}); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() {
		for {
			f, err := framer.ReadFrame()
			if g, ok := f.(*http2.GoAwayFrame); ok && g.ErrCode != http2.ErrCodeNo {
				err = http2.ConnectionError(g.ErrCode)
			}
			if err != nil {
				closed <- err
				return
			}
		}
	}()
	block.Reset()
	if err := enc.WriteField(hpack.HeaderField{Name: "x-flood", Value: strings.Repeat("a", 15<<10), Sensitive: true}); err != nil {
		t.Fatal(err)
	}
	sent := 0
	for ; sent < 64<<20; sent += block.Len() {
		if err := framer.WriteContinuation(1, false, []byte(block.String())); err != nil {
			break
		}
	}
	select {
	case err := <-closed:
		t.Logf("closed after at most %d KB: %v", sent>>10, err)
	case <-time.After(10 * time.Second):
		t.Errorf("still open after %d KB of header", sent>>10)
	}
	if a := e.get(t, "/health"); a.StatusCode != http.StatusOK {
		t.Errorf("others: status %d", a.StatusCode)
	}
}
