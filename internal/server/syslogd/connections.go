package syslogd

import (
	"errors"
	"net"
	"net/netip"
)

// remember notes an open connection. It returns false when its source has as many as it may have, or the server is ending.
func (s *Server) remember(conn net.Conn, from netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	if s.ofSource[from] >= s.config.MaxConnectionsPerSource {
		s.count(tcp, ReasonTooManyFromSource)
		return false
	}
	s.ofSource[from]++
	s.open[conn] = from
	s.metrics.connections.Set(float64(len(s.open)))
	return true
}

// forget closes a connection, whether it was remembered or not.
func (s *Server) forget(conn net.Conn) {
	s.mu.Lock()
	if from, remembered := s.open[conn]; remembered {
		delete(s.open, conn)
		if s.ofSource[from]--; s.ofSource[from] == 0 {
			delete(s.ofSource, from)
		}
		s.metrics.connections.Set(float64(len(s.open)))
	}
	s.mu.Unlock()
	s.close(conn)
}

func (s *Server) close(conn net.Conn) {
	if err := conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		s.log.V(1).Info("could not close a connection", "error", err.Error())
	}
}

// closeConnections ends all connections, and those that are being accepted.
func (s *Server) closeConnections() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	for conn := range s.open {
		s.close(conn)
	}
}
