// Answer is a web server for the cluster's tests. It says the name of its host; asked for /get?url=URL it says what that
// URL answers; if that is https, it asks as the pod's service account.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

// accountFolder is where a pod finds its service account.
const accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount"

func main() {
	address := flag.String("listen", ":8080", "address to listen on")
	flag.Parse()
	host, err := os.Hostname()
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "I am", host) })
	http.HandleFunc("/get", func(w http.ResponseWriter, r *http.Request) {
		if err := pass(w, r.FormValue("url")); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	})
	server := &http.Server{Addr: *address, ReadHeaderTimeout: time.Second}
	log.Printf("%s listens on %s", host, *address)
	log.Fatal(server.ListenAndServe())
}

// pass writes the status and the body of what a URL answers.
func pass(w io.Writer, url string) error {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: 5 * time.Second}
	if strings.HasPrefix(url, "https:") {
		token, err := os.ReadFile(accountFolder + "/token")
		if err != nil {
			return err
		}
		authority, err := os.ReadFile(accountFolder + "/ca.crt")
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer "+string(token))
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(authority)
		client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%d %s", response.StatusCode, body)
	return nil
}
