package stacks

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// skipSlow keeps tests that wait for real timeouts out of the short runs.
func skipSlow(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("waits for a real timeout")
	}
}

// A long poll of a whole minute is answered, over every protocol, and so is
// one that the gateway gives up after 70 s; what hangs longer ends with the edge.
func TestEdgeWaitsForLongPolls(t *testing.T) {
	t.Parallel()
	skipSlow(t)
	var hung atomic.Int32
	poll := slow()
	e := startEdgeBefore(t, wideOpen(), upstreams{gateway: serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/hang") {
			hung.Add(1)
			<-r.Context().Done()
			return
		}
		poll.ServeHTTP(w, r)
	}))})
	var wg sync.WaitGroup
	for _, protocol := range protocols {
		for _, c := range []struct {
			path        string
			status      int
			least, most time.Duration
		}{
			{"/api/v1/messages/60s", 200, 60 * time.Second, 63 * time.Second},
			{fmt.Sprintf("/api/v1/messages/%ds", gatewayTimeoutSec), 200, gatewayTimeoutSec * time.Second, (gatewayTimeoutSec + 3) * time.Second},
			{"/api/v1/messages/60s?stream", 200, 60 * time.Second, 63 * time.Second},
			{"/api/v1/messages/hang", 504, edgeTimeoutSec * time.Second, (edgeTimeoutSec + 5) * time.Second},
		} {
			wg.Go(func() {
				begun := time.Now()
				resp, err := e.client(t, protocol).Do(e.request(t, http.MethodGet, c.path, nil, nil))
				if err != nil {
					t.Errorf("%s %s: %v after %v", protocol, c.path, err, time.Since(begun))
					return
				}
				defer func() { _ = resp.Body.Close() }()
				text, err := io.ReadAll(resp.Body)
				took := time.Since(begun)
				if err != nil || resp.StatusCode != c.status || took < c.least || took > c.most || c.status == 200 && !bytes.HasSuffix(text, []byte("done")) {
					t.Errorf("%s %s: status %d, %q, %v after %v; want %d after %v", protocol, c.path, resp.StatusCode, text, err, took, c.status, c.least)
				}
			})
		}
	}
	wg.Wait()
	if n := hung.Load(); n != int32(len(protocols)) {
		t.Errorf("what hung was asked %d times, want once for each of %d", n, len(protocols))
	}
}

// drip writes a byte at a time until the edge has enough of it, and returns
// how long that took.
func drip(write func([]byte) error, text string) time.Duration {
	begun := time.Now()
	for _, b := range []byte(text) {
		if write([]byte{b}) != nil {
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	return time.Since(begun)
}

// Who sends headers or bodies by drops, over any protocol, is cut off; others
// are served meanwhile, and no service ever sees a whole request of them.
func TestEdgeCutsSlowRequests(t *testing.T) {
	t.Parallel()
	skipSlow(t)
	behind := &recorder{}
	e := startEdgeBefore(t, wideOpen(), upstreams{gateway: behind.run(t, byLength), media: behind.run(t, byLength)})
	const limit = 25 * time.Second
	var wg sync.WaitGroup
	for range 150 {
		for what, head := range map[string]string{
			"headers": "GET /api/v1/users/me HTTP/1.1\r\nHost: " + e.host + "\r\nX-Slow: ",
			"body":    "POST /api/v1/messages HTTP/1.1\r\nHost: " + e.host + "\r\nContent-Length: 1000\r\n\r\n",
			"chunks":  "POST /media/upload HTTP/1.1\r\nHost: " + e.host + "\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n",
		} {
			conn := e.raw(t, "http/1.1")
			if _, err := io.WriteString(conn, head); err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				begun := time.Now()
				go func() {
					_, _ = io.Copy(io.Discard, conn)
					_ = conn.Close() // the edge closed; writing ends
				}()
				drip(func(b []byte) error { _, err := conn.Write(b); return err }, strings.Repeat("a", 400))
				if took := time.Since(begun); took > limit || took < 5*time.Second {
					t.Errorf("slow %s: cut off after %v", what, took)
				}
			})
		}
	}
	for _, protocol := range protocols[1:] {
		wg.Go(func() {
			begun := time.Now()
			r, w := io.Pipe()
			go func() {
				drip(func(b []byte) error { _, err := w.Write(b); return err }, strings.Repeat("a", 400))
				_ = w.Close()
			}()
			resp, err := e.client(t, protocol).Do(e.request(t, http.MethodPost, "/api/v1/messages", r, nil))
			_ = r.Close()
			if took := time.Since(begun); took > limit || took < 5*time.Second || err == nil && resp.StatusCode < 400 {
				t.Errorf("slow body over %s: %v, %v after %v", protocol, resp, err, took)
			}
			if err == nil {
				_ = resp.Body.Close()
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for n := 0; ; n++ {
		begun := time.Now()
		a := e.ask(t, e.client(t, protocols[n%len(protocols)]), http.MethodGet, "/health", nil, nil)
		if took := time.Since(begun); a.StatusCode != http.StatusOK || took > 3*time.Second {
			t.Errorf("others: status %d after %v", a.StatusCode, took)
		}
		select {
		case <-done:
			for _, r := range behind.requests() {
				if !strings.HasPrefix(r, "GET /health ") && strings.HasSuffix(r, strings.Repeat("a", 400)) {
					t.Errorf("a slow request arrived: %.200q", r)
				}
			}
			t.Logf("%d requests of others meanwhile", n+1)
			return
		case <-time.After(250 * time.Millisecond):
		}
	}
}
