package wire

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// Most is how many packets go in one call.
	Most = 64
	// size is the room for a packet in bytes: more than an Ethernet frame has.
	size = 2048
	// buffer is the size of a socket's buffers in bytes.
	buffer = 16 << 20
)

// message is struct mmsghdr.
type message struct {
	header unix.Msghdr
	length uint32
	_      [4]byte
}

// half is one direction.
type half struct {
	messages [Most]message
	vectors  [Most]unix.Iovec
	names    [Most]unix.RawSockaddrInet4
	room     [Most][size]byte
}

func (h *half) wire() {
	for i := range h.messages {
		h.vectors[i].Base = &h.room[i][0]
		h.vectors[i].SetLen(size)
		h.messages[i].header.Iov = &h.vectors[i]
		h.messages[i].header.SetIovlen(1)
		h.messages[i].header.Name = (*byte)(unsafe.Pointer(&h.names[i]))
		h.messages[i].header.Namelen = unix.SizeofSockaddrInet4
	}
}

// Socket is a UDP socket that never blocks. It belongs to one thread.
type Socket struct {
	fd      int
	in, out *half
	queued  int
	to      unix.RawSockaddrInet4
	// Refused counts packets that the kernel did not take.
	Refused int
}

// Listen binds a socket to a local address; everything that is sent goes to the remote one.
func Listen(local, remote netip.AddrPort) (*Socket, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("UDP socket: %w", err)
	}
	// Without the right to force a size, the kernel grants what net.core.rmem_max allows.
	for force, option := range map[int]int{unix.SO_RCVBUFFORCE: unix.SO_RCVBUF, unix.SO_SNDBUFFORCE: unix.SO_SNDBUF} {
		err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, buffer)
		if errors.Is(err, unix.EPERM) {
			err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, buffer)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("UDP socket: set the size of its buffers: %w", err), unix.Close(fd))
		}
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: int(local.Port()), Addr: local.Addr().As4()}); err != nil {
		return nil, errors.Join(fmt.Errorf("UDP socket: bind %v: %w", local, err), unix.Close(fd))
	}
	s := &Socket{fd: fd, in: &half{}, out: &half{}, to: sockaddr(remote)}
	s.in.wire()
	s.out.wire()
	return s, nil
}

func sockaddr(a netip.AddrPort) unix.RawSockaddrInet4 {
	return unix.RawSockaddrInet4{Family: unix.AF_INET, Port: a.Port()<<8 | a.Port()>>8, Addr: a.Addr().As4()}
}

// FD is the socket's descriptor, for epoll.
func (s *Socket) FD() int { return s.fd }

// Close closes the socket.
func (s *Socket) Close() error { return unix.Close(s.fd) }

// Next returns the room for one more packet of n bytes. It is sent by Flush, or by a Next that finds no room.
func (s *Socket) Next(n int) ([]byte, error) {
	if s.queued == Most {
		if err := s.Flush(); err != nil {
			return nil, err
		}
	}
	i := s.queued
	s.queued++
	s.out.vectors[i].SetLen(n)
	s.out.names[i] = s.to
	return s.out.room[i][:n:n], nil
}

// Flush sends what is queued. What the kernel does not take for want of room is counted as refused, and lost.
func (s *Socket) Flush() error {
	for sent := 0; sent < s.queued; {
		n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&s.out.messages[sent])),
			uintptr(s.queued-sent), 0, 0, 0)
		switch errno {
		case 0:
			sent += int(n)
		case unix.EINTR:
		case unix.EAGAIN, unix.ENOBUFS, unix.ECONNREFUSED:
			s.Refused++
			sent++
		default:
			s.queued = 0
			return fmt.Errorf("sendmmsg: %w", errno)
		}
	}
	s.queued = 0
	return nil
}

// Receive hands every packet that waits, up to Most, to each, and returns how many there were. The bytes are valid during
// the call only.
func (s *Socket) Receive(each func(packet []byte, from netip.AddrPort)) (int, error) {
	for i := range s.in.messages {
		s.in.messages[i].header.Namelen = unix.SizeofSockaddrInet4
	}
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&s.in.messages[0])), Most,
		unix.MSG_DONTWAIT, 0, 0)
	switch errno {
	case 0:
	case unix.EAGAIN, unix.EINTR, unix.ECONNREFUSED:
		return 0, nil
	default:
		return 0, fmt.Errorf("recvmmsg: %w", errno)
	}
	for i := range int(n) {
		name := &s.in.names[i]
		each(s.in.room[i][:s.in.messages[i].length], netip.AddrPortFrom(netip.AddrFrom4(name.Addr), name.Port<<8|name.Port>>8))
	}
	return int(n), nil
}

// Wait returns when a packet waits, or after the limit.
func (s *Socket) Wait(limit time.Duration) error {
	poll := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}
	timeout := unix.NsecToTimespec(int64(max(limit, 0)))
	_, err := unix.Ppoll(poll, &timeout, nil)
	if errors.Is(err, unix.EINTR) {
		return nil
	}
	return err
}
