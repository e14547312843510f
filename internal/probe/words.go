package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// why words what kept a question from being answered. What is not known to be of our own making is quoted and cut.
func (p *Prober) why(err error) string {
	var finding heard
	switch {
	case errors.As(err, &finding):
		return string(finding)
	case timedOut(err):
		return fmt.Sprintf("no answer within %s", p.timeout)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no route to it"
	}
	return fmt.Sprintf("%.120q", err.Error())
}

// heard is a finding on what was heard, worded, quoted and cut already.
type heard string

func (h heard) Error() string { return string(h) }

func heardf(format string, args ...any) error { return heard(fmt.Sprintf(format, args...)) }

// timedOut reports whether err means that no answer came in time.
func timedOut(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// text is the text of what is wrong, "" for nothing.
func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// cut makes what others chose fit for a line: escaped and bounded, without quotes.
func cut(s string) string {
	q := strconv.QuoteToASCII(s[:min(len(s), 80)])
	return q[1 : len(q)-1]
}

// ended returns what ended ctx in place of err, which then says no more than that the connection was closed.
func ended(ctx context.Context, err error) error {
	var finding heard
	if err == nil || errors.As(err, &finding) || ctx.Err() == nil {
		return err
	}
	return ctx.Err()
}
