package tftpd

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/tugboot/tugboot/internal/server/mmsg"
)

// ReceiveBuffer is the kernel memory for packets that were not read yet, in bytes: the default holds about 125, and a
// rack that is switched on sends more at once.
const ReceiveBuffer = 4 << 20

// setOptions prepares a socket before it is bound. Only the last option is a wish: without the right to force it, the
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
		if failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1); failed != nil { // to which address a packet was sent
			failed = fmt.Errorf("IP_PKTINFO: %w", failed)
			return
		}
		if failed = mmsg.CountDrops(int(fd)); failed != nil {
			failed = fmt.Errorf("SO_RXQ_OVFL: %w", failed)
			return
		}
		var size int
		if size, failed = mmsg.ReceiveBuffer(int(fd), ReceiveBuffer); failed == nil && size < ReceiveBuffer {
			s.config.Log.Info("TFTP: the receive buffer is smaller than wished: grant the capability NET_ADMIN or raise the sysctl net.core.rmem_max",
				"address", address, "wishedBytes", ReceiveBuffer, "bytes", size)
		}
	})
	return errors.Join(err, failed)
}
