package stacks

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// admitted asks n times and counts the answers that are not 429; the last one
// says how long to wait.
func (e *edge) admitted(t *testing.T, c *http.Client, method, path string, n int) (ok int, last answer) {
	t.Helper()
	for i := range n {
		// Another claim of an address every time, which must not matter.
		last = e.ask(t, c, method, path, nil, http.Header{"X-Forwarded-For": {"198.51.100." + strconv.Itoa(i)}})
		if last.StatusCode != http.StatusTooManyRequests {
			ok++
		}
	}
	return ok, last
}

// checkRefusal fails unless an answer is a 429 that says when to come back.
func checkRefusal(t *testing.T, what string, a answer, within time.Duration) {
	t.Helper()
	seconds, err := strconv.Atoi(a.Header.Get("Retry-After"))
	if a.StatusCode != http.StatusTooManyRequests || err != nil || seconds < 1 || time.Duration(seconds)*time.Second > within+time.Second {
		t.Errorf("%s: status %d, Retry-After %q; want 429 and at most %v", what, a.StatusCode, a.Header.Get("Retry-After"), within)
	}
	if a.body != `{"error":"Too Many Requests"}` || a.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s: %q with %v", what, a.body, a.Header)
	}
}

func TestEdgeLimits(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	d.RateLimit = RateLimit{RequestsPerMinute: 24, AuthPerMinute: 6, RegistrationsPerHour: 4, UploadsPerMinute: 5}
	for _, c := range []struct {
		what, method string
		paths        []string
		want         int
		window       time.Duration
	}{
		{"registration", "POST", []string{"/api/v1/auth/register-device", "/api/v1/auth/register-device/", "/API/v1/auth/Register-Device", "/api/v1/auth/register-devic%65"}, 4, time.Hour},
		{"login", "POST", []string{"/api/v1/auth/challenge", "/api/v1/auth/device", "/api/v1/auth/challenge/x", "/api/v1/auth/%64evice", "/api/v1//auth/challenge"}, 6, time.Minute},
		{"upload", "POST", []string{"/media/upload", "/media/%75pload", "/MEDIA/upload"}, 5, time.Minute},
		{"all else", "GET", []string{"/api/v1/users/me", "/health", "/nothing", "/media/" + mediaID, "/api/v1/../x"}, 24, time.Minute},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			e := startEdge(t, d)
			got := 0
			var last answer
			// In turns, and over every protocol: one count for all of them.
			for i := range c.want + 6 {
				n, a := e.admitted(t, e.client(t, protocols[i%len(protocols)]), c.method, c.paths[i%len(c.paths)], 1)
				got, last = got+n, a
			}
			if got != c.want {
				t.Errorf("%d admitted, want %d", got, c.want)
			}
			checkRefusal(t, c.what, last, c.window)
			if c.what == "all else" {
				return
			}
			if n, _ := e.admitted(t, e.client(t, "HTTP/1.1"), "GET", "/api/v1/users/me", 1); n != 1 {
				t.Error("who may not do that may do nothing else")
			}
			if c.what != "upload" {
				return
			}
			if n, _ := e.admitted(t, e.client(t, "HTTP/1.1"), "GET", "/media/"+mediaID, 1); n != 1 {
				t.Error("who has uploaded enough may not read")
			}
		})
	}
}

// One address that floods the edge is refused; another is served meanwhile,
// and nothing of the flood's excess reaches a service.
func TestEdgeServesOthersDuringAFlood(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	d.RateLimit = RateLimit{RequestsPerMinute: 200}
	behind := &recorder{}
	e := startEdgeBefore(t, d, upstreams{gateway: behind.run(t, byLength)})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	flood := map[int]int{}
	for range 20 {
		c := e.clientFrom(t, "HTTP/2.0", "127.0.0.2")
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				resp, err := c.Do(e.request(t, http.MethodGet, "/api/v1/keys/flood", nil, nil))
				if err != nil {
					t.Errorf("flood: %v", err)
					return
				}
				_ = resp.Body.Close()
				mu.Lock()
				flood[resp.StatusCode]++
				mu.Unlock()
			}
		})
	}
	time.Sleep(300 * time.Millisecond)
	victim := e.clientFrom(t, "HTTP/2.0", "127.0.0.3")
	var slowest time.Duration
	for range 150 {
		begun := time.Now()
		if a := e.ask(t, victim, http.MethodGet, "/api/v1/keys/victim", nil, nil); a.StatusCode != http.StatusOK {
			t.Errorf("the other address: status %d", a.StatusCode)
		}
		slowest = max(slowest, time.Since(begun))
		time.Sleep(10 * time.Millisecond)
	}
	close(stop)
	wg.Wait()
	arrived := 0
	for _, r := range behind.requests() {
		if strings.Contains(r, "/flood") {
			arrived++
		}
	}
	if flood[http.StatusOK] != 200 || arrived != 200 || flood[http.StatusTooManyRequests] < 1000 {
		t.Errorf("the flood got %v, %d arrived; want 200 and the rest refused", flood, arrived)
	}
	if slowest > 2*time.Second {
		t.Errorf("the other address waited up to %v", slowest)
	}
	t.Logf("flood %v, slowest of the other address %v", flood, slowest)
}

// A reload is no way around a limit.
func TestEdgeCountsAcrossReloads(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	d.RateLimit = RateLimit{RequestsPerMinute: 10, AuthPerMinute: 4, RegistrationsPerHour: 4, UploadsPerMinute: 4}
	e := startEdge(t, d)
	c := e.client(t, "HTTP/1.1")
	if n, _ := e.admitted(t, c, "POST", "/api/v1/auth/challenge", 3); n != 3 {
		t.Fatalf("%d of 3 admitted", n)
	}
	for range 3 {
		d.RateLimit.UploadsPerMinute++ // any change
		e.configure(t, d)
		if err := e.reload(); err != nil {
			t.Fatal(err)
		}
	}
	// On connections of before, a request may cross the server's hanging up, and
	// nobody sends a POST again for it.
	c.CloseIdleConnections()
	if n, last := e.admitted(t, c, "POST", "/api/v1/auth/challenge", 3); n != 1 {
		t.Errorf("%d more admitted, want the 1 that was left", n)
	} else {
		checkRefusal(t, "after reloads", last, time.Minute)
	}
}

// What the rendered limits are by default.
func TestEdgeLimitsByDefault(t *testing.T) {
	t.Parallel()
	e := startEdge(t, testDeployment())
	if n, last := e.admitted(t, e.client(t, "HTTP/2.0"), "POST", "/api/v1/auth/challenge", 25); n != 20 {
		t.Errorf("%d logins admitted, want 20", n)
	} else {
		checkRefusal(t, "login", last, time.Minute)
	}
	if n, last := e.admitted(t, e.client(t, "HTTP/2.0"), "GET", "/health", 300); n != 280 {
		t.Errorf("%d requests admitted beside 20 logins, want 280", n)
	} else {
		checkRefusal(t, "request", last, time.Minute)
	}
}
