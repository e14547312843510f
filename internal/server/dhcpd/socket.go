package dhcpd

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"
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
	drops  atomic.Uint32 // packets that the kernel had dropped when it last said so
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
		{unix.SOL_SOCKET, unix.SO_RXQ_OVFL},  // how many requests the kernel dropped
		{unix.SOL_SOCKET, unix.SO_BROADCAST}, // replies to 255.255.255.255
	} {
		if err := unix.SetsockoptInt(fd, o.level, o.name, 1); err != nil {
			return err
		}
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, ReceiveBuffer) != nil {
		// Without NET_ADMIN the kernel gives what rmem_max allows; how much that is, is asked below.
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, ReceiveBuffer); err != nil {
			return err
		}
	}
	doubled, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
	s.buffer = doubled / 2 // the kernel reports twice what was asked for, for its bookkeeping: socket(7)
	return err
}

// dropped takes note of how many packets the kernel says that it had dropped when it took one in, and returns how many of them
// are news. That number wraps around at 2^32, and so does the difference.
func (s *socket) dropped(total uint32) uint32 {
	for {
		known := s.drops.Load()
		if total == 0 || int32(total-known) <= 0 { // another lane was told of more
			return 0
		}
		if s.drops.CompareAndSwap(known, total) {
			return total - known
		}
	}
}

// rebind binds the socket to the interface that has the name of its own now.
func (s *socket) rebind(index int) error {
	var err error
	if closed := s.raw.Control(func(fd uintptr) { err = unix.BindToDevice(int(fd), s.device) }); closed != nil || err != nil {
		return errors.Join(closed, err)
	}
	s.index = index
	return nil
}
