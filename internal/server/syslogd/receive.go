package syslogd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/syslog"
)

const (
	udp = "udp"
	tcp = "tcp"
)

// retryPause is waited after a passing failure of a socket, so that it does not become a busy loop.
const retryPause = 50 * time.Millisecond

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(retryPause):
	}
}

// accept takes TCP connections until the listener is closed, then waits for them to end.
func (s *Server) accept(ctx context.Context, listener net.Listener, fail context.CancelCauseFunc) {
	var connections sync.WaitGroup
	defer connections.Wait()
	for {
		conn, err := listener.Accept()
		switch {
		case err == nil:
			connections.Go(func() { s.converse(conn) })
		case ctx.Err() != nil:
			return
		case errors.Is(err, net.ErrClosed):
			fail(fmt.Errorf("%w: %w", errSocket, err))
			return
		default: // such as no file descriptor left
			s.log.V(1).Info("could not accept", "error", err.Error())
			pause(ctx)
		}
	}
}

// converse reads the messages of one connection until it ends, is silent too long, or makes no sense.
func (s *Server) converse(conn net.Conn) {
	defer s.forget(conn)
	defer s.recovered(tcp, conn.RemoteAddr().String(), nil)
	var from netip.Addr
	if addr, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		from = addr.AddrPort().Addr().Unmap()
	}
	if !s.remember(conn, from) {
		return
	}
	messages := syslog.NewReader(idleReader{conn, s.config.IdleTimeout}, maxMessage)
	for {
		raw, err := messages.Next()
		if errors.Is(err, syslog.ErrFraming) {
			s.count(tcp, ReasonFraming)
			s.log.V(1).Info("connection closed", "source", from.String(), "reason", ReasonFraming, "error", err.Error())
		}
		if err != nil {
			return // the sender's end, silence or a broken connection
		}
		s.admit(tcp, from, raw)
	}
}

// idleReader gives each read a deadline of its own.
type idleReader struct {
	conn net.Conn
	idle time.Duration
}

// Read implements io.Reader.
func (r idleReader) Read(p []byte) (int, error) {
	if err := r.conn.SetReadDeadline(time.Now().Add(r.idle)); err != nil {
		return 0, err
	}
	return r.conn.Read(p)
}

// admit puts a message into the queue, or drops and counts it. It never waits. It keeps a copy of raw.
func (s *Server) admit(transport string, from netip.Addr, raw []byte) {
	now := time.Now()
	if len(raw) == 0 {
		s.count(transport, ReasonEmpty)
		return
	}
	if reason, ok := s.allow(from, now); !ok {
		s.drop(transport, reason)
		return
	}
	s.push(received{at: now, from: from, transport: transport, raw: bytes.Clone(raw)})
}

func (s *Server) drop(transport string, why boot.Reason) {
	s.dropped.Add(1)
	s.count(transport, why)
}

func (s *Server) count(transport string, why boot.Reason) {
	s.metrics.messages.WithLabelValues(transport, string(why)).Inc()
}

// recovered is deferred: it turns a panic into a log line and a count.
func (s *Server) recovered(transport, from string, raw []byte) {
	if cause := recover(); cause != nil {
		s.metrics.panics.Inc()
		s.count(transport, ReasonPanic)
		s.log.Error(fmt.Errorf("panic: %v", cause), "a message made the server panic; it goes on receiving",
			"source", from, "message", syslog.Shorten(syslog.Clean(string(raw)), maxLogged), "stack", string(debug.Stack()))
	}
}
