package syslog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// maxCounted is the largest length that octet counting may announce, in bytes; more is not syslog.
const maxCounted = 1 << 20

// ErrFraming is wrapped by the errors of a stream that no message can be told in any more.
var ErrFraming = errors.New("the stream is not framed as RFC 6587 says")

// Reader cuts a TCP stream into messages (RFC 6587): by octet counting where a frame begins with a length, else at
// newlines. A message longer than the limit is cut, and its rest skipped.
type Reader struct {
	r     *bufio.Reader
	limit int
	// skip is what is left of a counted frame that was cut, skipLine true while a line's rest is to be skipped.
	skip     int
	skipLine bool
}

// NewReader returns a reader of messages of at most limit bytes, which must be at least 16.
func NewReader(r io.Reader, limit int) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, max(limit, 16)), limit: max(limit, 16)}
}

// Next returns the next message, which stays valid until the following call. At the end of the stream it returns
// io.EOF; what stood there without its newline is returned before that.
func (r *Reader) Next() ([]byte, error) {
	for {
		if err := r.finishSkip(); err != nil {
			return nil, err
		}
		length, header, err := r.counted()
		if err != nil {
			return nil, err
		}
		if header > 0 {
			return r.frame(length, header)
		}
		line, err := r.line()
		if err != nil || len(line) > 0 {
			return line, err
		}
	}
}

// finishSkip reads over what the last message's cut left.
func (r *Reader) finishSkip() error {
	if r.skip > 0 {
		n, err := r.r.Discard(r.skip)
		r.skip -= n
		return err
	}
	for r.skipLine {
		_, err := r.r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return err
		}
		r.skipLine = false
	}
	return nil
}

// maxHeader is a counted frame's header at its longest: seven digits and a space.
const maxHeader = 8

// counted looks whether a frame begins with its length: digits, a space and the "<" of a priority. A header of 0 means
// that it does not; nothing is consumed.
func (r *Reader) counted() (length, header int, err error) {
	for n := 1; n <= maxHeader+1; n++ {
		seen, err := r.r.Peek(n)
		if err != nil {
			if n > 1 && errors.Is(err, io.EOF) {
				return 0, 0, nil // too short for a frame: a last line
			}
			return 0, 0, err
		}
		switch c := seen[n-1]; {
		case n > 1 && c == '<' && seen[n-2] == ' ':
			length, err := strconv.Atoi(string(seen[:n-2]))
			if err != nil || length == 0 || length > maxCounted {
				return 0, 0, fmt.Errorf("%w: a length of %.8q, allowed are 1 to %d", ErrFraming, seen[:n-2], maxCounted)
			}
			return length, n - 1, nil
		case c == ' ' && n > 1 && seen[n-2] != ' ', c >= '0' && c <= '9' && (n == 1 || seen[n-2] != ' '):
			continue
		}
		return 0, 0, nil
	}
	return 0, 0, nil
}

// frame reads a counted frame.
func (r *Reader) frame(length, header int) ([]byte, error) {
	if _, err := r.r.Discard(header); err != nil {
		return nil, err
	}
	keep := min(length, r.limit)
	message, err := r.r.Peek(keep)
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: it ended within a frame of %d bytes", ErrFraming, length)
		}
		return nil, err
	}
	r.skip = length // the bytes just seen are skipped by the next call, so that they stay valid until then
	return message, nil
}

// line reads up to a newline.
func (r *Reader) line() ([]byte, error) {
	line, err := r.r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		r.skipLine = true
		return line, nil
	case err != nil && len(line) == 0, err != nil && !errors.Is(err, io.EOF):
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n\x00"), nil
}
