package main

import (
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

type api struct {
	settings

	store            *store
	received, failed atomic.Int64
}

func newAPI(s settings, store *store) http.Handler {
	a := &api{settings: s, store: store}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /otlp/v1/logs", a.push)
	mux.HandleFunc("GET /loki/api/v1/labels", a.labelNames)
	mux.HandleFunc("GET /loki/api/v1/label/{name}/values", a.labelValues)
	mux.HandleFunc("GET /loki/api/v1/query_range", a.queryRange)
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ready") })
	mux.HandleFunc("GET /metrics", a.metrics)
	return mux
}

func (a *api) push(w http.ResponseWriter, r *http.Request) {
	lines, err := receive(r, a.labels)
	if err != nil {
		a.failed.Add(1)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := a.store.add(lines); err != nil {
		log.Print(err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	a.received.Add(int64(len(lines)))
	w.WriteHeader(http.StatusNoContent)
}

func (a *api) labelNames(w http.ResponseWriter, _ *http.Request) {
	names := map[string]bool{}
	for _, l := range a.store.all() {
		for name := range l.Labels {
			names[name] = true
		}
	}
	answer(w, slices.Sorted(maps.Keys(names)))
}

func (a *api) labelValues(w http.ResponseWriter, r *http.Request) {
	values := map[string]bool{}
	for _, l := range a.store.all() {
		if value, ok := l.Labels[r.PathValue("name")]; ok {
			values[value] = true
		}
	}
	answer(w, slices.Sorted(maps.Keys(values)))
}

// stream is what a range query answers for one set of labels.
type stream struct {
	Stream map[string]string `json:"stream"`
	Values [][2]string       `json:"values"`
}

// queryRange knows the last hour by default, newest line first, a hundred at most.
func (a *api) queryRange(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuery(r.FormValue("query"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	now := time.Now()
	start, errStart := nanos(r.FormValue("start"), now.Add(-time.Hour))
	end, errEnd := nanos(r.FormValue("end"), now)
	limit := 100
	if text := r.FormValue("limit"); text != "" {
		limit, err = strconv.Atoi(text)
	}
	if errStart != nil || errEnd != nil || err != nil {
		http.Error(w, "start, end and limit are numbers here", http.StatusBadRequest)
		return
	}
	var found []line
	for _, l := range a.store.all() {
		if l.Nanos >= start && l.Nanos < end && q.matches(l) {
			found = append(found, l)
		}
	}
	slices.SortStableFunc(found, func(x, y line) int { return int(min(max(y.Nanos-x.Nanos, -1), 1)) })
	answer(w, map[string]any{"resultType": "streams", "result": streams(found[:min(limit, len(found))])})
}

func nanos(text string, otherwise time.Time) (int64, error) {
	if text == "" {
		return otherwise.UnixNano(), nil
	}
	return strconv.ParseInt(text, 10, 64)
}

func streams(lines []line) []stream {
	result := []stream{}
	for _, l := range lines {
		i := slices.IndexFunc(result, func(s stream) bool { return maps.Equal(s.Stream, l.Labels) })
		if i < 0 {
			i, result = len(result), append(result, stream{Stream: l.Labels})
		}
		result[i].Values = append(result[i].Values, [2]string{strconv.FormatInt(l.Nanos, 10), l.Text})
	}
	return result
}

func answer(w http.ResponseWriter, data any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": data}); err != nil {
		log.Printf("answer: %v", err)
	}
}

func (a *api) metrics(w http.ResponseWriter, _ *http.Request) {
	_, _ = fmt.Fprintf(w, "# TYPE loki_build_info gauge\nloki_build_info{version=\"stand-in\"} 1\n"+
		"# TYPE loki_distributor_lines_received_total counter\nloki_distributor_lines_received_total %d\n"+
		"# TYPE loki_discarded_samples_total counter\n", a.received.Load())
	if n := a.failed.Load(); n > 0 {
		_, _ = fmt.Fprintf(w, "loki_discarded_samples_total{reason=\"malformed\"} %d\n", n)
	}
}
