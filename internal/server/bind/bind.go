package bind

import (
	"errors"
	"fmt"
	"syscall"
)

// Error words the failure err to listen on network ("udp" or "tcp") at address for server, such as "DHCP". It wraps
// err. A conflict names the process that holds the port where this process may see it; a lack of rights names the
// capability.
func Error(server, network, address string, port uint16, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s: port %d/%s at %s is taken%s: stop that server or choose another address: %w",
			server, port, network, address, culprit(network, port), err)
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return fmt.Errorf("%s: no right to listen on port %d/%s at %s: run as root or grant the capability NET_BIND_SERVICE: %w",
			server, port, network, address, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s: %s is not an address of this host: choose one that `ip addr` shows: %w", server, address, err)
	default:
		return fmt.Errorf("%s: listen on port %d/%s at %s: %w", server, port, network, address, err)
	}
}

// Usual names the programs that hold the port on many hosts, "" where there are none.
func Usual(port uint16) string {
	switch port {
	case 67:
		return "dnsmasq of libvirt, another DHCP server, or Tinkerbell's Smee"
	case 4011:
		return "dnsmasq or another boot server for PXE"
	case 69, 7171:
		return "Tinkerbell's Smee"
	case 514:
		return "rsyslog"
	}
	return ""
}

func culprit(network string, port uint16) string {
	holders := Holders(network, port)
	if len(holders) == 0 {
		often := Usual(port)
		if often != "" {
			often = "; often " + often
		}
		return " by another process, not visible from here (on the node, as root, `ss -lpn` names it" + often + ")"
	}
	text := " by "
	for i, h := range holders {
		if i > 0 {
			text += " and "
		}
		text += fmt.Sprintf("%q (pid %d)", h.Name, h.PID)
	}
	return text
}
