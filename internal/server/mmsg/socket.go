package mmsg

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// ReceiveBuffer gives a socket kernel memory for that many bytes of datagrams that were not read yet, and returns how many it
// got: without the capability NET_ADMIN no more than net.core.rmem_max.
func ReceiveBuffer(fd, bytes int) (int, error) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, bytes) != nil {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, bytes); err != nil {
			return 0, err
		}
	}
	doubled, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
	return doubled / 2, err // the kernel reports twice what was asked for, for its bookkeeping: socket(7)
}

// CountDrops has the kernel say with each datagram how many it dropped at this socket (Datagram.Drops).
func CountDrops(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1) }

// Drops is how many datagrams the kernel had dropped at a socket when it last said so. It is safe for concurrent use.
type Drops struct{ total atomic.Uint32 }

// News takes note of what the kernel said with a datagram, and returns how many of those are news. That number wraps around at
// 2^32, and so does the difference.
func (d *Drops) News(total uint32) uint32 {
	for {
		known := d.total.Load()
		if total == 0 || int32(total-known) <= 0 { // another reader was told of more
			return 0
		}
		if d.total.CompareAndSwap(known, total) {
			return total - known
		}
	}
}
