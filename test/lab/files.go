package lab

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// filesPort is where the file server listens: clear of Tugboot's own ports.
const filesPort = "7180"

// Fetch is one request that a FileServer answered.
type Fetch struct {
	// At is when it began and Took how long it lasted.
	At   time.Time
	Took time.Duration
	// Client is who asked.
	Client netip.Addr
	Method string
	Path   string
	Status int
	// Bytes is how much of the body was sent.
	Bytes int64
}

// FileServer is a plain web server in the server's namespace, as a site has one for the installer's kernel and initrd.
type FileServer struct {
	// URL is its root.
	URL string

	mu      sync.Mutex
	fetches []Fetch
	onFetch func(Fetch)
}

// ServeFiles serves the files of folder. Each finished request is remembered and goes to onFetch, which may be nil.
func (l *Lab) ServeFiles(folder string, onFetch func(Fetch)) (*FileServer, error) {
	address := net.JoinHostPort(ServerAddr.String(), filesPort)
	listener, err := l.Server.Listen(address)
	if err != nil {
		return nil, fmt.Errorf("file server: %w", err)
	}
	s := &FileServer{URL: "http://" + address, onFetch: onFetch}
	server := &http.Server{Handler: s.record(http.FileServer(http.Dir(folder))), ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	l.onClose(func() error {
		closing := server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			return errors.Join(closing, fmt.Errorf("file server: %w", err))
		}
		return closing
	})
	return s, nil
}

// Fetches returns the finished requests of client, the oldest first.
func (s *FileServer) Fetches(client netip.Addr) []Fetch {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Fetch
	for _, f := range s.fetches {
		if f.Client == client {
			found = append(found, f)
		}
	}
	return found
}

func (s *FileServer) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		counted := &countingWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(counted, r)
		f := Fetch{At: started, Took: time.Since(started), Method: r.Method, Path: r.URL.Path, Status: counted.status, Bytes: counted.bytes}
		if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
			f.Client = from.Addr().Unmap()
		}
		s.mu.Lock()
		s.fetches = append(s.fetches, f)
		s.mu.Unlock()
		if s.onFetch != nil {
			s.onFetch(f)
		}
	})
}

// countingWriter counts a body's bytes.
type countingWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (c *countingWriter) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.bytes += int64(n)
	return n, err
}
