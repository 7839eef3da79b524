// Command cmd runs the fake model server by itself, for trying a program by
// hand:
//
//	go run ./testdata/modelserver/cmd -port 18080
//
// It prints one line per request, and listens on loopback only.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/llm-cli-gateway/gateway/testdata/modelserver"
)

func main() {
	port := flag.Int("port", 18080, "loopback port; 0 takes a free one")
	flag.Parse()
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err == nil {
		fmt.Printf("http://%s\n", listener.Addr())
		err = http.Serve(listener, logged(modelserver.NewHandler()))
	}
	fmt.Fprintln(os.Stderr, "modelserver:", err)
	os.Exit(1)
}

func logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Printf("%s %s %d bytes\n", r.Method, r.URL.RequestURI(), r.ContentLength)
		next.ServeHTTP(w, r)
	})
}
