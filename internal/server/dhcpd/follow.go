package dhcpd

import (
	"errors"
	"net"

	"github.com/go-logr/logr"
)

// follower binds the sockets of interfaces that were deleted and made anew: the kernel binds to an interface, not to its name.
type follower struct {
	interfaces *interfaces
	sockets    []*socket
	log        logr.Logger
}

func (s *Server) follower() *follower {
	return &follower{interfaces: s.interfaces, sockets: s.sockets, log: s.log}
}

// up looks whether a socket's interface is another one now.
func (f *follower) up() {
	for _, socket := range f.sockets {
		index := f.interfaces.named(socket.device)
		if socket.device == "" || index == 0 || index == socket.index {
			continue
		}
		switch err := socket.rebind(index); {
		case errors.Is(err, net.ErrClosed): // the server stops
		case err != nil:
			f.log.Error(err, "serve an interface that was made anew; it is not served: grant the capability NET_RAW, or start Tugboot again",
				"interface", socket.device)
		default:
			f.log.Info("the interface was made anew, and is served again", "interface", socket.device, "address", socket.local)
		}
	}
}
