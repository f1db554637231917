package stacks

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// What HTTP/2 can say and HTTP/1.1 cannot is refused where it comes in.
func TestEdgeLetsNothingBeSmuggledByHTTP2(t *testing.T) {
	t.Parallel()
	behind := &recorder{}
	e := startEdgeBefore(t, wideOpen(), upstreams{gateway: behind.run(t, byLength)})
	for what, c := range map[string]struct {
		fields [][2]string
		body   string
	}{
		"line break in a value":  {[][2]string{{"x-a", "b\r\nX-User-Id: " + forgery}}, ""},
		"line break in a name":   {[][2]string{{"x-a: b\r\nx-user-id", forgery}}, ""},
		"colon in a name":        {[][2]string{{"x-user-id:", forgery}}, ""},
		"capitals in a name":     {[][2]string{{"X-User-Id", forgery}}, ""},
		"identity":               {[][2]string{{"x-user-id", forgery}}, ""},
		"line break in the path": {[][2]string{{":path", "/api/v1/users/me HTTP/1.1\r\nX-User-Id: " + forgery + "\r\nX-A: "}}, ""},
		"blank in the path":      {[][2]string{{":path", "/api/v1/users/me HTTP/1.1"}}, ""},
		"line break as method":   {[][2]string{{":method", "GET /metrics HTTP/1.1\r\nX-User-Id: " + forgery + "\r\n\r\nGET"}}, ""},
		"other authority":        {[][2]string{{":authority", "evil.example.net"}}, ""},
		"authority with a path":  {[][2]string{{":authority", "chat.example.com/metrics"}}, ""},
		"two hosts":              {[][2]string{{"host", "evil.example.net"}}, ""},
		"transfer-encoding":      {[][2]string{{"transfer-encoding", "chunked"}}, "0\r\n\r\n" + hidden},
		"connection":             {[][2]string{{"connection", "x-forwarded-for"}}, ""},
		"length too short":       {[][2]string{{":method", "POST"}, {"content-length", "1"}}, hidden},
		"length too long":        {[][2]string{{":method", "POST"}, {"content-length", "1000"}}, hidden},
		"two lengths":            {[][2]string{{":method", "POST"}, {"content-length", "0"}, {"content-length", fmt.Sprint(len(hidden))}}, hidden},
		"upgrade":                {[][2]string{{"upgrade", "h2c"}}, ""},
	} {
		behind.forget()
		status := e.sendHTTP2(t, c.fields, c.body)
		next := e.get(t, "/api/v1/users/me")
		// Both in one look: a request whose client was cut off may arrive behind
		// the next client's.
		got := behind.requests()
		checkBehind(t, what, append(got, behind.fragments()...), e.host)
		if next.StatusCode != http.StatusOK {
			t.Errorf("%s: the next client gets %d", what, next.StatusCode)
		}
		if len(got) == 0 || len(got) > 2 || len(got) == 1 && status == "200" {
			t.Errorf("%s: status %q, with the next client's %d requests behind the edge: %q", what, status, len(got), got)
		}
	}
}

// sendHTTP2 sends one request by hand, fields over the usual ones, and returns
// the status, or "" if the stream or connection was cut.
func (e *edge) sendHTTP2(t *testing.T, fields [][2]string, body string) string {
	t.Helper()
	conn := e.raw(t, "h2")
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(3 * time.Second)); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	framer.AllowIllegalWrites = true
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	var block strings.Builder
	enc := hpack.NewEncoder(&block)
	for _, f := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", e.host}, {":path", "/api/v1/users/me"}} {
		if !slices.ContainsFunc(fields, func(over [2]string) bool { return over[0] == f[0] }) {
			_ = enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}) // to memory
		}
	}
	for _, f := range fields {
		if strings.HasPrefix(f[0], ":") && f[0] != ":" {
			_ = enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
		}
	}
	for _, f := range fields {
		if !strings.HasPrefix(f[0], ":") {
			_ = enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
		}
	}
	_, err := io.WriteString(conn, http2.ClientPreface)
	if err == nil {
		err = framer.WriteSettings()
	}
	if err == nil {
		err = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte(block.String()), EndHeaders: true, EndStream: body == ""})
	}
	if err == nil && body != "" {
		err = framer.WriteData(1, true, []byte(body))
	}
	for err == nil {
		var f http2.Frame
		f, err = framer.ReadFrame()
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			return f.PseudoValue("status")
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return ""
		}
	}
	return ""
}
