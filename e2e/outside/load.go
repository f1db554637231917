package outside

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// LoadOptions say how hard a user asks.
type LoadOptions struct {
	Requests  []LoadRequest // made in turn
	PerSecond int           // requests, whether or not earlier ones are answered
	Fresh     int           // of so many requests one takes a connection of its own; 0: none
	Polls     int           // long polls held open all the time
}

// LoadRequest is one that is made over and over.
type LoadRequest struct {
	Method, Path string
	Body         any // none by default
	// Status is what the service answers; everything else is a failure. Default 200.
	Status int
}

// LoadReport is what came of it.
type LoadReport struct {
	Sent, Polled    int
	Failed          []string      // what went wrong, one entry for each request
	Outage          time.Duration // from the start of the first that failed to the last's
	P50, P99, Worst time.Duration
	Versions        map[string]int // answers by service and version
}

// String is one line for people.
func (r LoadReport) String() string {
	return fmt.Sprintf("%d requests and %d long polls, %d failed; p50 %d ms, p99 %d ms, worst %d ms",
		r.Sent, r.Polled, len(r.Failed), r.P50.Milliseconds(), r.P99.Milliseconds(), r.Worst.Milliseconds())
}

// pollSeconds is how long a long poll is held open when nothing comes: so long
// that all of them together stay below the service's 100 a minute.
const pollSeconds = 35

// load is one run of requests.
type load struct {
	user     *User
	fresh    *Client
	options  LoadOptions
	mu       sync.Mutex
	report   LoadReport
	took     []time.Duration
	requests sync.WaitGroup
	failed   []time.Time // when those that failed were sent
}

// Load asks without a break until stop is called, which waits for what is under
// way. A request fails with an error, or another status than it should have.
func (u *User) Load(ctx context.Context, options LoadOptions) (stop func() LoadReport) {
	own := *u.client
	transport := own.http.Transport.(*http.Transport).Clone()
	transport.DisableKeepAlives, transport.ForceAttemptHTTP2 = true, false
	transport.TLSClientConfig.NextProtos = []string{"http/1.1"}
	own.http = &http.Client{Timeout: requestTimeout, Transport: transport}
	l := &load{user: u, fresh: &own, options: options, report: LoadReport{Versions: map[string]int{}}}
	asking, cancel := context.WithCancel(ctx)
	var loops sync.WaitGroup
	loops.Go(func() { l.ask(ctx, asking) })
	poll := LoadRequest{Method: http.MethodGet, Path: fmt.Sprintf("/api/v1/messages?timeout=%d", pollSeconds)}
	for range options.Polls {
		loops.Go(func() {
			for asking.Err() == nil {
				// One that failed at once is not asked again at once.
				time.Sleep(100 * time.Millisecond)
				l.one(ctx, u.client, poll, true)
			}
		})
	}
	return func() LoadReport {
		cancel()
		loops.Wait()
		l.requests.Wait()
		return l.summary()
	}
}

// ask sends requests at their pace until asking ends.
func (l *load) ask(ctx, asking context.Context) {
	tick := time.NewTicker(time.Second / time.Duration(l.options.PerSecond))
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-asking.Done():
			return
		case <-tick.C:
		}
		client, request := l.user.client, l.options.Requests[n%len(l.options.Requests)]
		if l.options.Fresh > 0 && n%l.options.Fresh == 0 {
			client = l.fresh
		}
		l.requests.Go(func() { l.one(ctx, client, request, false) })
	}
}

func (l *load) one(ctx context.Context, client *Client, request LoadRequest, poll bool) {
	start := time.Now()
	answer, err := client.Do(ctx, request.Method, request.Path, l.user.Token, request.Body)
	took := time.Since(start)
	l.mu.Lock()
	defer l.mu.Unlock()
	wrong := answer.Status != cmp.Or(request.Status, http.StatusOK)
	if err != nil || wrong {
		l.failed = append(l.failed, start)
	}
	switch {
	case err != nil:
		l.report.Failed = append(l.report.Failed, fmt.Sprintf("%s %s %s: %v",
			start.UTC().Format(time.TimeOnly), request.Method, request.Path, err))
	case wrong:
		l.report.Failed = append(l.report.Failed, fmt.Sprintf("%s %s %s: status %d from %q: %.200s",
			start.UTC().Format(time.TimeOnly), request.Method, request.Path, answer.Status, answer.Service, answer.Body))
	default:
		l.report.Versions[answer.Service+" "+answer.Version]++
	}
	if poll {
		l.report.Polled++
		return
	}
	l.report.Sent++
	l.took = append(l.took, took)
}

func (l *load) summary() LoadReport {
	if len(l.failed) > 0 {
		l.report.Outage = slices.MaxFunc(l.failed, time.Time.Compare).Sub(slices.MinFunc(l.failed, time.Time.Compare))
	}
	slices.Sort(l.took)
	if n := len(l.took); n > 0 {
		l.report.P50, l.report.P99, l.report.Worst = l.took[n/2], l.took[n*99/100], l.took[n-1]
	}
	return l.report
}
