package httpd

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/ipxe"
	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/server/limit"
)

// The reasons of a request besides those of the source.
const (
	// ReasonMethodNotAllowed: the method is neither GET nor HEAD.
	ReasonMethodNotAllowed boot.Reason = "MethodNotAllowed"
	// ReasonBodyRefused: the request carries a body, which nothing here takes.
	ReasonBodyRefused boot.Reason = "BodyRefused"
	// ReasonHealthcheck: the health check was answered.
	ReasonHealthcheck boot.Reason = "Healthcheck"
	// ReasonPanic: handling the request panicked.
	ReasonPanic boot.Reason = "Panic"
	// ReasonFileUnreadable: the kernel or initrd is there, and this process may not read it.
	ReasonFileUnreadable boot.Reason = "FileUnreadable"
	// ReasonInternalError: the source failed in a way that it does not name.
	ReasonInternalError boot.Reason = "InternalError"
)

// healthPath answers 200 as long as requests are answered at all.
const healthPath = "/healthcheck"

// outcome is what became of a request, for the log, the metrics and the journal.
type outcome struct {
	kind    kind
	reason  boot.Reason
	machine reservation.MAC
	code    int
	sent    int64
	// cut is true when the client did not take all of it.
	cut bool
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	s.metrics.inFlight.Inc()
	defer s.metrics.inFlight.Dec()
	out := &recorder{ResponseWriter: w, control: http.NewResponseController(w), stall: s.config.StallTimeout,
		head: r.Method == http.MethodHead}
	o := &outcome{kind: kindNone}
	abort := s.protect(out, r, o)
	if out.code == 0 {
		out.code = http.StatusOK
	}
	o.code, o.sent, o.cut = out.code, out.sent, out.failed
	took := time.Since(started)
	s.metrics.observe(o, took)
	s.note(r, o, started, took)
	if abort {
		panic(http.ErrAbortHandler) // net/http's way to close a connection whose answer cannot be completed
	}
}

// protect answers the request. A panic is logged and counted, and answered with 500 where nothing was sent yet; else it
// returns true, and the connection must be aborted so that the client does not take the torso for the whole.
func (s *Server) protect(w *recorder, r *http.Request, o *outcome) (abort bool) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		s.metrics.panics.Inc()
		s.log.Error(fmt.Errorf("panic: %v", cause), "a request made the server panic; it goes on serving",
			"method", quoted(r.Method), "path", quoted(r.URL.Path), "client", r.RemoteAddr, "stack", string(debug.Stack()))
		o.reason = ReasonPanic
		if abort = w.code != 0; !abort {
			refuse(w, http.StatusInternalServerError, "the server failed on this request; its log says how")
		}
	}()
	s.answer(w, r, o)
	return false
}

func (s *Server) answer(w *recorder, r *http.Request, o *outcome) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if why := s.over(r); why != "" {
		w.Header().Set("Retry-After", "1")
		w.endBody(r)
		o.reason = why
		refuse(w, http.StatusTooManyRequests, "too many requests: ask again in a second")
		return
	}
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		w.endBody(r)
		o.reason = ReasonMethodNotAllowed
		refuse(w, http.StatusMethodNotAllowed, "only GET and HEAD are answered here")
	case r.ContentLength != 0:
		w.endBody(r)
		o.reason = ReasonBodyRefused
		refuse(w, http.StatusRequestEntityTooLarge, "send no body with "+r.Method)
	case r.URL.Path == healthPath:
		o.kind, o.reason = kindHealth, ReasonHealthcheck
		health(w)
	default:
		s.give(w, r, o)
	}
}

// over returns why the request is one too many, "" when it is not.
func (s *Server) over(r *http.Request) boot.Reason {
	from := address(r.RemoteAddr)
	var why boot.Reason
	switch s.limits.Allow(from, time.Now()) {
	case limit.Allowed:
		return ""
	case limit.SourceOver:
		why = ReasonSourceRate
	case limit.TotalOver:
		why = ReasonTotalRate
	}
	s.refuseLine(from, why)
	return why
}

func health(w http.ResponseWriter) {
	const body = `{"status":"ok"}` + "\n"
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	write(w, http.StatusOK, body)
}

// give answers with what the source holds at the path.
func (s *Server) give(w *recorder, r *http.Request, o *outcome) {
	o.kind = kindBinary
	if path.Ext(r.URL.Path) == ".ipxe" {
		o.kind = kindScript
	}
	content, err := s.source.Get(r.URL.Path, address(r.RemoteAddr))
	if err != nil {
		s.giveNothing(w, err, o, isProbe(r))
		return
	}
	o.reason, o.machine = content.Reason, content.Machine
	if content.Open != nil {
		s.giveFile(w, r, &content, o)
		return
	}
	w.Header().Set("Content-Type", content.Type)
	if content.Modified.IsZero() {
		w.Header().Set("Cache-Control", "no-store") // made for this request
	}
	http.ServeContent(w, r, content.Name, content.Modified, bytes.NewReader(content.Body))
}

// giveFile answers with a file on the disk.
func (s *Server) giveFile(w *recorder, r *http.Request, content *ipxe.Content, o *outcome) {
	o.kind = kindImage
	modified := time.Time{}
	file, err := content.Open()
	if err == nil {
		defer func() {
			if err := file.Close(); err != nil {
				s.log.Error(err, "close a file that was served", "file", content.Name)
			}
		}()
		var stat fs.FileInfo
		if stat, err = file.Stat(); err == nil {
			modified = stat.ModTime()
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		o.reason = ipxe.ReasonNoSuchFile
		refuse(w, http.StatusNotFound, fmt.Sprintf("no file %.100q in the folder of kernels and initrds", content.Name))
	case err != nil:
		o.reason = ReasonFileUnreadable
		s.log.Error(err, "a file could not be served: see that this process may read it", "file", quoted(content.Name))
		refuse(w, http.StatusInternalServerError, "the file cannot be read; the server's log says why")
	default:
		w.Header().Set("Content-Type", content.Type)
		http.ServeContent(w, r, content.Name, modified, file)
	}
}

func (s *Server) giveNothing(w http.ResponseWriter, err error, o *outcome, probe bool) {
	var refusal *ipxe.Refusal
	if !errors.As(err, &refusal) {
		o.reason = ReasonInternalError
		s.log.Error(err, "the source failed")
		refuse(w, http.StatusInternalServerError, "the server failed on this request; its log says how")
		return
	}
	o.reason, o.machine = refusal.Reason, refusal.Machine
	if refusal.ForProbes != nil && probe {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		write(w, http.StatusOK, string(refusal.ForProbes))
		return
	}
	code := http.StatusNotFound
	switch {
	case refusal.Forbidden:
		code = http.StatusForbidden
	case refusal.Invalid:
		code = http.StatusUnprocessableEntity
	}
	refuse(w, code, refusal.Message)
}

// refuse answers with one line of text.
func refuse(w http.ResponseWriter, code int, message string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	write(w, code, message+"\n")
}

func write(w http.ResponseWriter, code int, body string) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	// A client that went away is no fault of ours, and the recorder has noted it. net/http drops the body for HEAD.
	_, _ = w.Write([]byte(body)) //nolint:gosec // it is text/plain, and nosniff keeps it that: no page is made of it
}

// isProbe reports whether another Tugboot looks whether this one serves.
func isProbe(r *http.Request) bool { return r.UserAgent() == ipxe.ProbeUserAgent }

// note writes the request's log line and, for a known machine, its journal entry.
func (s *Server) note(r *http.Request, o *outcome, started time.Time, took time.Duration) {
	values := []any{"method", quoted(r.Method), "path", quoted(r.URL.Path), "client", r.RemoteAddr, "code", o.code,
		"reason", o.reason, "bytes", o.sent, "took", took.String(), "userAgent", quoted(r.UserAgent()), "tls", r.TLS != nil}
	if o.cut {
		values = append(values, "cut", true)
	}
	if o.kind == kindHealth || isProbe(r) || o.code == http.StatusTooManyRequests { // nothing that the machine did, or a flood
		s.log.V(1).Info("request", values...)
		return
	}
	if o.machine.IsZero() {
		s.log.Info("request", values...)
		return
	}
	s.log.Info("request", append(values, "machine", o.machine.String())...)
	stage := journal.StageHTTP
	if o.kind == kindScript {
		stage = journal.StageScript
	}
	what := fmt.Sprintf("%s %s -> %d", quoted(r.Method), quoted(r.URL.Path), o.code)
	if o.cut {
		what += ", cut off"
	}
	s.journal.Record(o.machine, journal.Entry{At: started, Stage: stage, What: what, Reason: string(o.reason), Bytes: o.sent, Took: took})
}
