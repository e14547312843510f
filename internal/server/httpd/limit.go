package httpd

import (
	"net"
	"net/netip"
	"sync"

	"github.com/tugboot/tugboot/internal/boot"
)

// The reasons of what is refused because there is too much of it.
const (
	// ReasonSourceRate: this client asks too often.
	ReasonSourceRate boot.Reason = "SourceRate"
	// ReasonTotalRate: all clients together ask too often.
	ReasonTotalRate boot.Reason = "TotalRate"
	// ReasonSourceConnections: this client has too many connections; one more is closed.
	ReasonSourceConnections boot.Reason = "SourceConnections"
)

// census counts the connections of each source on all listeners. It holds as many sources as there are connections.
type census struct {
	max int

	mu       sync.Mutex
	bySource map[netip.Addr]int
}

func newCensus(limit int) *census { return &census{max: limit, bySource: map[netip.Addr]int{}} }

func (c *census) enter(source netip.Addr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bySource[source] >= c.max {
		return false
	}
	c.bySource[source]++
	return true
}

func (c *census) leave(source netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bySource[source]--; c.bySource[source] <= 0 {
		delete(c.bySource, source)
	}
}

// fairListener takes as many connections as it has places, and closes those of a source that has too many. Its connections
// are TCP connections to net/http too, which has the kernel send files on those.
type fairListener struct {
	*net.TCPListener
	places  chan struct{}
	closed  chan struct{}
	close   func() error
	census  *census
	refused func(source netip.Addr)
}

func newFairListener(l *net.TCPListener, places int, c *census, refused func(source netip.Addr)) *fairListener {
	f := &fairListener{TCPListener: l, places: make(chan struct{}, places), closed: make(chan struct{}), census: c, refused: refused}
	f.close = sync.OnceValue(func() error {
		close(f.closed)
		return l.Close()
	})
	return f
}

// Close implements net.Listener.
func (l *fairListener) Close() error { return l.close() }

// Accept implements net.Listener. While every place is taken it waits, and connections wait in the kernel's queue.
func (l *fairListener) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	for {
		conn, err := l.AcceptTCP()
		if err != nil {
			<-l.places
			return nil, err
		}
		source := address(conn.RemoteAddr().String())
		if l.census.enter(source) {
			return &countedConn{TCPConn: conn, leave: sync.OnceFunc(func() { l.census.leave(source); <-l.places })}, nil
		}
		l.refused(source)
		if err := conn.Close(); err != nil {
			continue // the client went first
		}
	}
}

// countedConn holds a place until it is closed.
type countedConn struct {
	*net.TCPConn
	leave func()
}

// Close implements net.Conn.
func (c *countedConn) Close() error {
	defer c.leave()
	return c.TCPConn.Close()
}

// address is the IP address in address:port, that of a connection's other end; the zero Addr, that of no machine, for
// anything else. A header such as X-Forwarded-For is not looked at: anybody can write one.
func address(s string) netip.Addr {
	at, err := netip.ParseAddrPort(s)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}
