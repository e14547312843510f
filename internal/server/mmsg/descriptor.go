package mmsg

import (
	"errors"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// header is the kernel's struct mmsghdr.
type header struct {
	unix.Msghdr

	size uint32
}

// controlSize is room for the control messages of one datagram: IP_PKTINFO beside SO_RXQ_OVFL or UDP_SEGMENT.
const controlSize = 64

// Block has Readers of a socket wait in the kernel. A thread that waits there is woken with the datagram at once; one that is
// woken by the runtime's poller has asked for it twice more, and had another thread run meanwhile.
func Block(raw syscall.RawConn) error {
	return Control(raw, func(fd int) error { return unix.SetNonblock(fd, false) })
}

// Wake ends the waiting of all Readers of a socket, now and for good: their Read returns nothing. What had come is still there
// to Poll for.
func Wake(raw syscall.RawConn) error {
	return Control(raw, func(fd int) error {
		if err := unix.Shutdown(fd, unix.SHUT_RD); !errors.Is(err, unix.ENOTCONN) { // which it says of every unconnected socket, after it did it
			return err
		}
		return nil
	})
}

// CanSegment reports whether the kernel cuts datagrams that have the same way to go out of one: since Linux 4.18 (udp(7),
// UDP_SEGMENT).
func CanSegment(raw syscall.RawConn) bool {
	return Control(raw, func(fd int) error {
		_, err := unix.GetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_SEGMENT)
		return err
	}) == nil
}

// Control calls f with the descriptor, and returns its error, or that the descriptor is closed.
func Control(raw syscall.RawConn, f func(fd int) error) (err error) {
	if closed := raw.Control(func(fd uintptr) { err = f(int(fd)) }); closed != nil {
		return closed
	}
	return err
}

// batchCall is SYS_RECVMMSG or SYS_SENDMMSG with those flags. What does not wait is over before the scheduler could give this
// thread's processor away, so it is not told: that it is told of each system call costs more than most of these take.
func batchCall(call, fd uintptr, headers []header, flags uintptr) (int, syscall.Errno) {
	do := unix.RawSyscall6
	if flags&unix.MSG_DONTWAIT == 0 {
		do = unix.Syscall6
	}
	for {
		n, _, failed := do(call, fd, uintptr(unsafe.Pointer(&headers[0])), uintptr(len(headers)), flags, 0, 0)
		if failed == 0 {
			return int(n), 0
		}
		if failed != unix.EINTR {
			return 0, failed
		}
	}
}
