package main

import (
	"crypto/subtle"
	"encoding/json"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
)

// api answers Grafana's HTTP API.
type api struct {
	user, password string // password as a digest
	*provisioned
}

func newAPI(s *settings, password string, p *provisioned) http.Handler {
	a := &api{user: s.adminUser, password: password, provisioned: p}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/health", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]string{"commit": "stand-in", "database": "ok", "version": "11.1.4"})
	})
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<title>Grafana stand-in</title><p>This simulated deployment runs no real Grafana. Its API answers; it draws nothing.</p>\n"))
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) })
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("grafana_build_info{version=\"11.1.4\",edition=\"stand-in\"} 1\n"))
	})
	mux.Handle("GET /api/datasources", a.signedIn(func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, a.sources) }))
	mux.Handle("GET /api/datasources/uid/{uid}", a.signedIn(a.source))
	mux.Handle("GET /api/datasources/uid/{uid}/health", a.signedIn(a.sourceHealth))
	mux.Handle("/api/datasources/proxy/uid/{uid}/{rest...}", a.signedIn(a.proxy))
	mux.Handle("GET /api/search", a.signedIn(a.search))
	mux.Handle("GET /api/dashboards/uid/{uid}", a.signedIn(a.dashboard))
	mux.Handle("GET /api/org", a.signedIn(func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"id": 1, "name": "Main Org."})
	}))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		log.Printf("%s %s is not a part of this stand-in", r.Method, r.URL.Path)
		reply(w, http.StatusNotImplemented, message("this stand-in for Grafana does not have "+r.URL.Path))
	})
	return mux
}

func message(s string) map[string]string { return map[string]string{"message": s} }

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		log.Printf("write response: %v", err)
	}
}

// signedIn wants the administrator's name and password by basic authentication.
func (a *api) signedIn(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != a.user || subtle.ConstantTimeCompare([]byte(digest(password)), []byte(a.password)) != 1 {
			reply(w, http.StatusUnauthorized, message("Invalid username or password"))
			return
		}
		next(w, r)
	})
}

// find answers 404 itself where there is no such data source.
func (a *api) find(w http.ResponseWriter, r *http.Request) (source, bool) {
	for _, s := range a.sources {
		if s.UID == r.PathValue("uid") {
			return s, true
		}
	}
	reply(w, http.StatusNotFound, message("Data source not found"))
	return source{}, false
}

func (a *api) source(w http.ResponseWriter, r *http.Request) {
	if s, ok := a.find(w, r); ok {
		reply(w, http.StatusOK, s)
	}
}

// sourceHealth really asks the data source, as Grafana's test button does.
func (a *api) sourceHealth(w http.ResponseWriter, r *http.Request) {
	s, ok := a.find(w, r)
	if !ok {
		return
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, strings.TrimSuffix(s.URL, "/")+"/api/v1/query?query=1%2B1", nil)
	if err == nil {
		var resp *http.Response
		if resp, err = http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				reply(w, http.StatusOK, map[string]string{"status": "OK", "message": "Successfully queried the data source."})
				return
			}
		}
	}
	reply(w, http.StatusBadRequest, map[string]any{"status": "ERROR", "message": "the data source does not answer"})
}

func (a *api) proxy(w http.ResponseWriter, r *http.Request) {
	s, ok := a.find(w, r)
	if !ok {
		return
	}
	target, err := url.Parse(s.URL)
	if err != nil {
		reply(w, http.StatusBadGateway, message("the data source's URL is malformed"))
		return
	}
	rest := r.PathValue("rest")
	p := &httputil.ReverseProxy{Rewrite: func(pr *httputil.ProxyRequest) {
		pr.Out.URL.Path, pr.Out.URL.RawPath = "/"+rest, ""
		pr.SetURL(target)
		pr.Out.Header.Del("Authorization")
	}}
	p.ServeHTTP(w, r)
}

func (a *api) search(w http.ResponseWriter, r *http.Request) {
	query := strings.ToLower(r.URL.Query().Get("query"))
	found := []map[string]any{}
	for i, d := range a.dashboards {
		if strings.Contains(strings.ToLower(d.Title), query) {
			found = append(found, map[string]any{
				"id": i + 1, "uid": d.UID, "title": d.Title, "type": "dash-db", "url": "/d/" + d.UID, "folderTitle": d.Folder.Title, "folderUid": d.Folder.UID,
			})
		}
	}
	reply(w, http.StatusOK, found)
}

func (a *api) dashboard(w http.ResponseWriter, r *http.Request) {
	for _, d := range a.dashboards {
		if d.UID == r.PathValue("uid") {
			reply(w, http.StatusOK, map[string]any{"dashboard": d.JSON, "meta": map[string]any{"provisioned": true, "folderTitle": d.Folder.Title, "folderUid": d.Folder.UID}})
			return
		}
	}
	reply(w, http.StatusNotFound, message("Dashboard not found"))
}
