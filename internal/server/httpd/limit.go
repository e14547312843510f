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

// fairListener closes connections of a source that has too many.
type fairListener struct {
	net.Listener
	census  *census
	refused func(source netip.Addr)
}

// Accept implements net.Listener.
func (l fairListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		source := address(conn.RemoteAddr().String())
		if l.census.enter(source) {
			return &countedConn{Conn: conn, leave: sync.OnceFunc(func() { l.census.leave(source) })}, nil
		}
		l.refused(source)
		if err := conn.Close(); err != nil {
			continue // the client went first
		}
	}
}

type countedConn struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *countedConn) Close() error {
	c.leave()
	return c.Conn.Close()
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
