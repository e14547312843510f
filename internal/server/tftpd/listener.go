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

	"github.com/tugboot/tugboot/internal/server/bind"
	"github.com/tugboot/tugboot/internal/server/mmsg"
	"github.com/tugboot/tugboot/internal/tftp"
)

// maxDump is how much of a malformed packet a log line shows, in bytes.
const maxDump = 128

// listener is one socket and the transfers that share it.
type listener struct {
	*sender

	server   *Server
	addr     netip.AddrPort // with the port that was taken
	wildcard bool           // bound to every address: the kernel says to which one a packet was sent
	conn     *net.UDPConn
	drops    mmsg.Drops
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
	raw, err := udp.SyscallConn()
	if err == nil {
		err = mmsg.Block(raw)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("TFTP: %s: cannot prepare the socket: %w", address, err), udp.Close())
	}
	bound := udp.LocalAddr().(*net.UDPAddr).AddrPort()
	return &listener{sender: newSender(raw, s.metrics.sentBytes), server: s, conn: udp, table: newTable(),
		addr: netip.AddrPortFrom(bound.Addr().Unmap(), bound.Port()), wildcard: address.Addr().IsUnspecified()}, nil
}

// close may be called more than once. It returns when no lane reads any more.
func (l *listener) close() error {
	err := errors.Join(mmsg.Wake(l.raw), l.conn.Close())
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// serve reads until close. A read that fails ends nothing: the host may be short of memory.
func (l *listener) serve() {
	var lanes sync.WaitGroup
	for range min(maxLanes, runtime.GOMAXPROCS(0)) {
		lanes.Go(l.lane)
	}
	lanes.Wait()
}

// received is one packet as it was read. Its bytes are overwritten by the next one.
type received struct {
	bytes     []byte
	truncated bool
	client    netip.AddrPort
	local, to netip.Addr // the address of this host that it came to, and the one that it was sent to; zero where not known
	at        time.Time
}

func (l *listener) handle(r received) {
	defer l.recoverPanic(r.client, r.bytes)
	local, ok := l.destination(r)
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
		l.malformed(r, local, err)
	case packet.Op == tftp.OpRRQ, packet.Op == tftp.OpWRQ:
		if l.server.admit(r.client.Addr(), r.at) {
			l.request(r, local, packet)
		}
	default:
		if s := l.table.find(r.client); s == nil || !s.receive(packet, r.at) {
			l.stray(r, local, packet)
		}
	}
}

// destination returns the address to which a packet was sent, zero where the socket is bound to one, and false for a
// packet that was sent to many hosts.
func (l *listener) destination(r received) (netip.Addr, bool) {
	if !l.wildcard {
		return netip.Addr{}, true
	}
	return r.local, r.local == r.to
}

// request begins a transfer, unless it repeats the request of one that is running.
func (l *listener) request(r received, local netip.Addr, packet tftp.Packet) {
	fresh := &session{listener: l, client: r.client, route: route{r.client, local}}
	for {
		fresh.mu.Lock()
		there := l.table.insert(fresh)
		if there == fresh {
			fresh.begin(r.bytes, packet, r.at)
			return
		}
		fresh.mu.Unlock()
		if there.again(r.bytes, r.at) {
			return
		}
	}
}

// malformed answers what is no TFTP packet, unless it comes from the client of a transfer: that one lives.
func (l *listener) malformed(r received, local netip.Addr, err error) {
	if !l.server.admit(r.client.Addr(), r.at) {
		return
	}
	l.server.ignore(tftp.ReasonMalformed)
	var fault *tftp.Fault
	if len(r.bytes) < 2 || !errors.As(err, &fault) || l.table.find(r.client) != nil {
		return
	}
	l.sendError(route{r.client, local}, fault.Code, fault.Message)
	if suppressed, allowed := l.server.speech.Allow(); allowed {
		l.server.config.Log.Info("TFTP packet malformed", "client", r.client.String(), "reason", tftp.ReasonMalformed,
			"message", fault.Message, "packet", hex.EncodeToString(r.bytes[:min(len(r.bytes), maxDump)]), "suppressedLines", suppressed)
	}
}

// stray answers a packet that belongs to no transfer: the transfer that it was meant for, if any, lives.
func (l *listener) stray(r received, local netip.Addr, packet tftp.Packet) {
	if !l.server.admit(r.client.Addr(), r.at) {
		return
	}
	if packet.Op == tftp.OpERROR {
		l.server.ignore(ReasonStrayError)
		return
	}
	l.server.ignore(ReasonUnknownTID)
	l.sendError(route{r.client, local}, tftp.CodeUnknownTID, "unknown TID") // fits the shortest Ethernet frame, as the packet does
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
