package tftpd

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/net/ipv4"

	"github.com/tugboot/tugboot/internal/server/bind"
	"github.com/tugboot/tugboot/internal/tftp"
)

const (
	// maxRequest is the longest packet that is read whole, in bytes. RFC 2347 ends requests at 512.
	maxRequest = 2048
	// maxLanes bounds the number of goroutines that read from one socket.
	maxLanes = 8
	// readPause is waited after the first failed read, and doubled after each further one up to maxReadPause.
	readPause    = 10 * time.Millisecond
	maxReadPause = time.Second
	// maxDump is how much of a malformed packet a log line shows, in bytes.
	maxDump = 128
)

// listener is one socket and the transfers that share it.
type listener struct {
	server   *Server
	addr     netip.AddrPort // with the port that was taken
	wildcard bool           // bound to every address: the kernel says to which one a packet was sent
	lanes    []*lane
	table    *table
}

// listen binds address.
func listen(ctx context.Context, s *Server, address netip.AddrPort) (*listener, error) {
	config := net.ListenConfig{Control: s.setOptions}
	conn, err := config.ListenPacket(ctx, "udp4", address.String())
	if err != nil {
		return nil, bind.Error("TFTP", "udp", address.Addr().String(), address.Port(), err)
	}
	udp := conn.(*net.UDPConn)
	bound := udp.LocalAddr().(*net.UDPAddr).AddrPort()
	l := &listener{server: s, addr: netip.AddrPortFrom(bound.Addr().Unmap(), bound.Port()),
		wildcard: address.Addr().IsUnspecified(), table: newTable()}
	l.addLane(udp)
	if l.wildcard {
		if err := l.lanes[0].packets.SetControlMessage(ipv4.FlagDst, true); err != nil {
			return nil, errors.Join(fmt.Errorf("TFTP: %s: cannot learn destination addresses: %w", address, err), udp.Close())
		}
	}
	for len(l.lanes) < min(maxLanes, runtime.GOMAXPROCS(0)) {
		if err := l.duplicate(udp); err != nil {
			return nil, errors.Join(fmt.Errorf("TFTP: %s: cannot duplicate the socket: %w", address, err), l.close())
		}
	}
	return l, nil
}

func (l *listener) addLane(conn *net.UDPConn) {
	l.lanes = append(l.lanes, &lane{conn: conn, packets: ipv4.NewPacketConn(conn), sent: l.server.metrics.sentBytes,
		batches: &l.server.batches})
}

func (l *listener) duplicate(conn *net.UDPConn) error {
	file, err := conn.File()
	if err != nil {
		return err
	}
	twin, err := net.FilePacketConn(file) // which duplicates once more
	if err != nil {
		return errors.Join(err, file.Close())
	}
	l.addLane(twin.(*net.UDPConn))
	return file.Close()
}

// close may be called more than once.
func (l *listener) close() error {
	var failures []error
	for _, lane := range l.lanes {
		if err := lane.conn.Close(); !errors.Is(err, net.ErrClosed) {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// serve reads from every lane until they are closed. A read that fails ends nothing: the host may be short of memory.
func (l *listener) serve() {
	var readers sync.WaitGroup
	for _, lane := range l.lanes {
		readers.Go(func() { l.read(lane) })
	}
	readers.Wait()
}

func (l *listener) read(via *lane) {
	packet, control := make([]byte, maxRequest), make([]byte, 64)
	for pause := readPause; ; {
		n, controlLength, flags, client, err := via.conn.ReadMsgUDPAddrPort(packet, control)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			if quiet, allowed := l.server.speech.Allow(); allowed {
				l.server.config.Log.Error(err, "TFTP: cannot receive; trying again", "address", l.addr.String(), "pause", pause.String(),
					"suppressedLines", quiet)
			}
			time.Sleep(pause)
			pause = min(2*pause, maxReadPause)
			continue
		}
		pause = readPause
		l.handle(via, received{bytes: packet[:n], control: control[:controlLength], truncated: flags&truncated != 0,
			client: netip.AddrPortFrom(client.Addr().Unmap(), client.Port()), at: time.Now()})
	}
}

// received is one packet as it was read. Its bytes are overwritten by the next one.
type received struct {
	bytes, control []byte
	truncated      bool
	client         netip.AddrPort
	at             time.Time
}

func (l *listener) handle(via *lane, r received) {
	defer l.recoverPanic(r.client, r.bytes)
	local, ok := l.destination(r.control)
	switch {
	case !ok:
		l.server.ignore(ReasonBroadcast)
		return
	case r.client.Port() == 0 || !r.client.Addr().IsValid() || r.client.Addr().IsMulticast() || r.client.Addr().IsUnspecified():
		l.server.ignore(ReasonBadSource)
		return
	}
	packet, err := tftp.Parse(r.bytes)
	if r.truncated {
		err = &tftp.Fault{Reason: tftp.ReasonMalformed, Code: tftp.CodeIllegalOperation, Message: "the packet is too long"}
	}
	switch {
	case err != nil:
		l.malformed(via, r, local, err)
	case packet.Op == tftp.OpRRQ, packet.Op == tftp.OpWRQ:
		if l.server.admit(r.client.Addr(), r.at) {
			l.request(via, r, local, packet)
		}
	default:
		if s := l.table.find(r.client); s == nil || !s.receive(via, packet, r.at) {
			l.stray(via, r, local, packet)
		}
	}
}

// destination returns the address to which a packet was sent, zero where the socket is bound to one, and false for a
// packet that was sent to many hosts.
func (l *listener) destination(control []byte) (netip.Addr, bool) {
	if !l.wildcard {
		return netip.Addr{}, true
	}
	return packetInfo(control)
}

// request begins a transfer, unless it repeats the request of one that is running.
func (l *listener) request(via *lane, r received, local netip.Addr, packet tftp.Packet) {
	fresh := &session{listener: l, client: r.client, route: newRoute(r.client, local)}
	for {
		fresh.mu.Lock()
		there := l.table.insert(fresh)
		if there == fresh {
			fresh.begin(via, r.bytes, packet, r.at)
			return
		}
		fresh.mu.Unlock()
		if there.again(via, r.bytes, r.at) {
			return
		}
	}
}

// malformed answers what is no TFTP packet, unless it comes from the client of a transfer: that one lives.
func (l *listener) malformed(via *lane, r received, local netip.Addr, err error) {
	if !l.server.admit(r.client.Addr(), r.at) {
		return
	}
	l.server.ignore(tftp.ReasonMalformed)
	var fault *tftp.Fault
	if len(r.bytes) < 2 || !errors.As(err, &fault) || l.table.find(r.client) != nil {
		return
	}
	via.sendError(newRoute(r.client, local), fault.Code, fault.Message)
	if suppressed, allowed := l.server.speech.Allow(); allowed {
		l.server.config.Log.Info("TFTP packet malformed", "client", r.client.String(), "reason", tftp.ReasonMalformed,
			"message", fault.Message, "packet", hex.EncodeToString(r.bytes[:min(len(r.bytes), maxDump)]), "suppressedLines", suppressed)
	}
}

// stray answers a packet that belongs to no transfer: the transfer that it was meant for, if any, lives.
func (l *listener) stray(via *lane, r received, local netip.Addr, packet tftp.Packet) {
	if !l.server.admit(r.client.Addr(), r.at) {
		return
	}
	if packet.Op == tftp.OpERROR {
		l.server.ignore(ReasonStrayError)
		return
	}
	l.server.ignore(ReasonUnknownTID)
	via.sendError(newRoute(r.client, local), tftp.CodeUnknownTID, "unknown TID") // fits the shortest Ethernet frame, as the packet does
}

// recoverPanic keeps a fault in the handling of one packet from ending the server. packet is nil for a timer.
func (l *listener) recoverPanic(client netip.AddrPort, packet []byte) {
	cause := recover()
	if cause == nil {
		return
	}
	defer l.server.metrics.panics.Inc()
	if quiet, allowed := l.server.speech.Allow(); allowed {
		l.server.config.Log.Error(fmt.Errorf("%v", cause), "TFTP: a fault of Tugboot ended this request: please report it",
			"client", client.String(), "packet", hex.EncodeToString(packet), "stack", string(debug.Stack()), "suppressedLines", quiet)
	}
}
