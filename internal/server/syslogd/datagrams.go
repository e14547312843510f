package syslogd

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"

	"github.com/tugboot/tugboot/internal/server/bind"
	"github.com/tugboot/tugboot/internal/server/mmsg"
)

const (
	// receiveBuffer is the kernel memory for messages that were not read yet, in bytes, so that a burst is not lost before.
	receiveBuffer = 1 << 20
	// batch is how many datagrams are read with one system call at most.
	batch = 16
)

// datagrams is one UDP socket.
type datagrams struct {
	conn  *net.UDPConn
	raw   syscall.RawConn
	drops mmsg.Drops
}

// listenUDP binds address. That the receive buffer is smaller than wished is no error.
func (s *Server) listenUDP(address netip.AddrPort) (*datagrams, error) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(address))
	if err != nil {
		return nil, bind.Error("syslog", "udp", address.Addr().String(), address.Port(), err)
	}
	d := &datagrams{conn: conn}
	if d.raw, err = conn.SyscallConn(); err == nil {
		err = mmsg.Control(d.raw, s.setOptions)
	}
	if err == nil {
		err = mmsg.Block(d.raw)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return d, nil
}

func (s *Server) setOptions(fd int) error {
	got, err := mmsg.ReceiveBuffer(fd, receiveBuffer)
	if err == nil && got < receiveBuffer {
		s.log.V(1).Info("the socket's receive buffer stays small", "bytes", got, "wantedBytes", receiveBuffer)
	}
	return errors.Join(err, mmsg.CountDrops(fd))
}

// close ends receive, and gives the port back. It may be called more than once.
func (d *datagrams) close() error {
	if err := errors.Join(mmsg.Wake(d.raw), d.conn.Close()); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// receive reads datagrams until close.
func (s *Server) receive(ctx context.Context, d *datagrams) {
	reader, buffers := mmsg.NewReader(d.raw, batch), make([][]byte, batch)
	for i := range buffers {
		buffers[i] = make([]byte, maxMessage)
	}
	for {
		n, err := reader.Read(buffers)
		switch {
		case errors.Is(err, net.ErrClosed), n == 0 && err == nil: // close has woken it
			return
		case err != nil:
			s.log.V(1).Info("could not receive", "error", err.Error())
			pause(ctx)
		}
		for i := range n {
			one := reader.At(i)
			s.metrics.kernelDrops.Add(float64(d.drops.News(one.Drops)))
			s.admit(udp, one.From.Addr(), buffers[i][:one.Size])
		}
	}
}
