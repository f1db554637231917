// Command hello answers every HTTP request on port 8080. The test runs it in a
// container on a simulated host.
package main

import (
	"io"
	"log"
	"net/http"
	"time"
)

func main() {
	server := &http.Server{
		Addr:              ":8080",
		ReadHeaderTimeout: 5 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if _, err := io.WriteString(w, "hello\n"); err != nil {
				log.Print(err)
			}
		}),
	}
	log.Fatal(server.ListenAndServe())
}
