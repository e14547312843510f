package tftpd

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// truncated is the flag of a packet that was longer than the buffer.
const truncated = unix.MSG_TRUNC

// ReceiveBuffer is the kernel memory for packets that were not read yet, in bytes: the default holds about 125, and a
// rack that is switched on sends more at once.
const ReceiveBuffer = 4 << 20

// setOptions prepares a socket before it is bound. Only the second option is a wish: without the right to force it, the
// kernel caps it at net.core.rmem_max.
func (s *Server) setOptions(_, address string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) {
		// Routers may fragment what is too long for a tunnel, where the ICMP that says so is often filtered.
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT)
		if failed != nil {
			failed = fmt.Errorf("IP_MTU_DISCOVER: %w", failed)
			return
		}
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, ReceiveBuffer) == nil {
			return
		}
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, ReceiveBuffer)
		size, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
		if err == nil && size < ReceiveBuffer {
			s.config.Log.Info("TFTP: the receive buffer is smaller than wished: grant the capability NET_ADMIN or raise the sysctl net.core.rmem_max",
				"address", address, "wishedBytes", ReceiveBuffer, "bytes", size)
		}
	})
	return errors.Join(err, failed)
}

// packetInfo reads the control message IP_PKTINFO, struct in_pktinfo of ip(7): interface, local address, destination.
// The two addresses differ when a packet was sent to a broadcast or multicast address: then it returns false. Without
// the message it returns the zero address, and the kernel chooses from where to answer, which most hosts get right.
func packetInfo(control []byte) (netip.Addr, bool) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return netip.Addr{}, true
	}
	for _, m := range messages {
		if m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_PKTINFO && len(m.Data) >= unix.SizeofInet4Pktinfo {
			local, destination := netip.AddrFrom4([4]byte(m.Data[4:8])), netip.AddrFrom4([4]byte(m.Data[8:12]))
			return local, local == destination
		}
	}
	return netip.Addr{}, true
}
