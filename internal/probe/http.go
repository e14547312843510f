package probe

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/tugboot/tugboot/internal/ipxe"
)

// The largest answer that is read, in bytes. What makes a body longer on the wire, its chunks, may take as much again.
const (
	maxHeader = 16 << 10
	maxBody   = 64 << 10
)

// answer is what a server said, and after how long; err says that nothing came of it, in words.
type answer struct {
	code int
	body []byte
	err  error
	took time.Duration
}

// get fetches a URL of at, and takes the answer as it is. It uses a connection of its own and no http.Client, so that
// there is no proxy, redirect, compression, connection kept or goroutine left behind to think of.
func (p *Prober) get(ctx context.Context, at, url string) answer {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return answer{err: heard(p.why(err))}
	}
	request.Header.Set("User-Agent", "Tugboot")
	request.Close = true
	request.Header.Set("User-Agent", ipxe.ProbeUserAgent)
	conn, err := p.dial(ctx, "tcp4", at)
	if err != nil {
		return answer{err: heard(p.why(ended(ctx, err)))}
	}
	defer conn.Close()
	// Whatever ends ctx also ends the write or read that is waiting.
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	return p.exchange(ctx, conn, request)
}

// exchange sends the request and reads the answer. A redirect is a finding: it is not known who would be asked.
func (p *Prober) exchange(ctx context.Context, conn net.Conn, request *http.Request) answer {
	if err := request.Write(conn); err != nil {
		return answer{err: heard(p.why(ended(ctx, err)))}
	}
	limit := &io.LimitedReader{R: conn, N: maxHeader}
	response, err := http.ReadResponse(bufio.NewReader(limit), request)
	switch {
	case err != nil && limit.N == 0:
		return answer{err: heardf("answered with a header of more than %d bytes: is that an HTTP server?", maxHeader)}
	case err != nil:
		return answer{err: heard(p.why(ended(ctx, err)))}
	}
	defer func() {
		conn.Close() // first, or closing the body would read it to its end
		response.Body.Close()
	}()
	limit.N = 2 * maxBody
	a := answer{code: response.StatusCode}
	to, coding := response.Header.Get("Location"), response.Header.Get("Content-Encoding")
	switch {
	case a.code >= 300 && a.code < 400 && to != "":
		a.err = heardf("answered %d, a redirect to %.120q, which is not followed: let it answer itself", a.code, to)
		return a
	case coding != "":
		a.err = heardf("answered with Content-Encoding %.40q, which nobody asked for: let it answer plainly", coding)
		return a
	}
	a.body, err = io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	switch {
	case err == nil && len(a.body) > maxBody:
		a.err = heardf("answered more than %d bytes: no script is that long", maxBody)
	case err != nil:
		a.err = heardf("answered %d, and the body broke off: %s", a.code, p.why(ended(ctx, err)))
	}
	return a
}

// unexpected words an answer that is not the one that was hoped for.
func (a answer) unexpected() error {
	if a.err != nil {
		return a.err
	}
	if len(a.body) == 0 {
		return heardf("answered %d", a.code)
	}
	return heardf("answered %d %.80q", a.code, a.body)
}
