package httpd

import (
	"bytes"
	"cmp"
	"io"
	"log"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-logr/logr"
)

// recorder counts what is sent, and gives each write a deadline of its own: a client that takes nothing is cut off, one
// that takes little by little is not.
type recorder struct {
	http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
	head    bool // net/http takes the body and drops it
	code    int
	sent    int64
	failed  bool
}

// WriteHeader implements http.ResponseWriter. The deadline that the connection's last answer left behind is renewed,
// because an answer to HEAD is all header.
func (r *recorder) WriteHeader(code int) {
	r.code = code
	r.ResponseWriter.WriteHeader(code)
	if err := r.extend(); err != nil {
		r.failed = true // the connection is gone already
	}
}

// extend gives the client another stall time.
func (r *recorder) extend() error { return r.control.SetWriteDeadline(time.Now().Add(r.stall)) }

// maxWrite bounds one write, so that its deadline means progress; in bytes.
const maxWrite = 64 << 10

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) {
	if r.code == 0 {
		r.code = http.StatusOK
	}
	total := 0
	for {
		part := p[total:min(total+maxWrite, len(p))]
		if err := r.extend(); err != nil {
			r.failed = true
			return total, err
		}
		n, err := r.ResponseWriter.Write(part)
		total += n
		if !r.head {
			r.sent += int64(n)
		}
		if err != nil {
			r.failed = true
			return total, err
		}
		if total == len(p) {
			return total, nil
		}
	}
}

// maxSend bounds what one sendfile is told to send, for the same reason; in bytes.
const maxSend = 256 << 10

// ReadFrom implements io.ReaderFrom, by which net/http has the kernel send a file without reading it.
func (r *recorder) ReadFrom(src io.Reader) (int64, error) {
	to, ok := r.ResponseWriter.(io.ReaderFrom)
	if !ok || r.head {
		return io.Copy(struct{ io.Writer }{r}, src)
	}
	whole, ok := src.(*io.LimitedReader)
	if !ok {
		whole = &io.LimitedReader{R: src, N: math.MaxInt64}
	}
	if body, ok := whole.R.(*bytes.Reader); ok && int64(body.Len()) == whole.N {
		return body.WriteTo(struct{ io.Writer }{r}) // from where it lies, without a copy
	}
	r.code = cmp.Or(r.code, http.StatusOK)
	var total int64
	for whole.N > 0 {
		if err := r.extend(); err != nil {
			r.failed = true
			return total, err
		}
		part := min(whole.N, maxSend)
		n, err := to.ReadFrom(&io.LimitedReader{R: whole.R, N: part})
		whole.N -= n
		total += n
		r.sent += n
		if err != nil {
			r.failed = true
			return total, err
		}
		if n < part { // the source's end
			break
		}
	}
	return total, nil
}

// endBody keeps a request with a body from holding the connection: what is left of the body must come at once, and the
// connection is closed after the answer.
func (r *recorder) endBody(request *http.Request) {
	r.Header().Set("Connection", "close")
	if request.ContentLength == 0 {
		return
	}
	if err := r.control.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		r.failed = true // the connection is gone already
	}
}

// maxQuoted is how much of what a client wrote goes into a line of ours, in bytes.
const maxQuoted = 200

// quoted makes what a client wrote fit for a line of a log or of the journal: escaped, bounded, without the quotes.
func quoted(s string) string {
	tail := ""
	if len(s) > maxQuoted {
		s, tail = s[:maxQuoted], "..."
	}
	q := strconv.QuoteToASCII(s)
	return q[1:len(q)-1] + tail
}

// errorLog takes what net/http has to say of broken connections and malformed requests.
func errorLog(l logr.Logger) *log.Logger { return log.New(lineWriter{l}, "", 0) }

type lineWriter struct{ log logr.Logger }

func (w lineWriter) Write(p []byte) (int, error) {
	w.log.V(1).Info("connection", "message", quoted(strings.TrimSpace(string(p))))
	return len(p), nil
}
