package bind

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// Take takes a port as the servers here do: network is "udp4", "tcp4" or "tcp", address like "0.0.0.0:67", and device the
// interface that the socket is bound to, empty for none. Close of what it returns gives the port back; until then what
// arrives there is not answered. Errors are the kernel's.
func Take(ctx context.Context, network, device, address string) (io.Closer, error) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		if device == "" {
			return nil
		}
		var failed error
		err := c.Control(func(fd uintptr) { failed = unix.BindToDevice(int(fd), device) })
		if err != nil {
			return err
		}
		return failed
	}}
	if network == "udp4" {
		return config.ListenPacket(ctx, network, address)
	}
	return config.Listen(ctx, network, address)
}

// Granted returns how many bytes of a receive buffer the kernel grants to a socket that asks for wanted: what
// net.core.rmem_max allows, or with the capability NET_ADMIN all of it (socket(7)).
func Granted(wanted int) (granted int, err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }()
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, wanted) != nil {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, wanted); err != nil {
			return 0, err
		}
	}
	doubled, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
	return doubled / 2, err // the kernel says twice what was asked for, for its bookkeeping
}
