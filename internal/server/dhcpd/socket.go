package dhcpd

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/tugboot/tugboot/internal/server/bind"
	"github.com/tugboot/tugboot/internal/server/mmsg"
)

// socket is one UDP socket.
type socket struct {
	device string // the interface that it is bound to, "" for all
	index  int    // of that interface, when it was bound
	conn   *net.UDPConn
	local  netip.AddrPort
	buffer int  // receive buffer in bytes, as the kernel granted it
	pxe    bool // its port is that of PXE boot servers, 4011
	raw    syscall.RawConn
	drops  mmsg.Drops
}

// openSocket binds the port on the interface named device, on all for "". It sets neither SO_REUSEADDR nor
// SO_REUSEPORT: with them a second server on the host would go unnoticed, each getting some of the packets.
func openSocket(device string, port uint16) (*socket, error) {
	s := &socket{device: device}
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		controlErr := c.Control(func(fd uintptr) { err = s.setOptions(int(fd), device) })
		if controlErr != nil {
			return controlErr
		}
		return err
	}}
	conn, err := config.ListenPacket(context.Background(), "udp4", "0.0.0.0:"+strconv.Itoa(int(port)))
	if err != nil {
		where := "0.0.0.0"
		if device != "" {
			where += " on " + device
		}
		return nil, bind.Error("DHCP", "udp", where, port, err)
	}
	s.conn = conn.(*net.UDPConn)
	s.local = s.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	if s.raw, err = s.conn.SyscallConn(); err == nil {
		err = mmsg.Block(s.raw)
	}
	if err != nil {
		return nil, errors.Join(err, s.conn.Close())
	}
	return s, nil
}

func (s *socket) setOptions(fd int, device string) error {
	if device != "" {
		if err := unix.BindToDevice(fd, device); err != nil {
			return err
		}
	}
	for _, o := range []struct{ level, name int }{
		{unix.IPPROTO_IP, unix.IP_PKTINFO},   // which interface a request came in on
		{unix.SOL_SOCKET, unix.SO_BROADCAST}, // replies to 255.255.255.255
	} {
		if err := unix.SetsockoptInt(fd, o.level, o.name, 1); err != nil {
			return err
		}
	}
	if err := mmsg.CountDrops(fd); err != nil {
		return err
	}
	var err error
	s.buffer, err = mmsg.ReceiveBuffer(fd, ReceiveBuffer)
	return err
}

// rebind binds the socket to the interface that has the name of its own now.
func (s *socket) rebind(index int) error {
	if err := mmsg.Control(s.raw, func(fd int) error { return unix.BindToDevice(fd, s.device) }); err != nil {
		return err
	}
	s.index = index
	return nil
}
