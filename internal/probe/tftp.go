package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/tugboot/tugboot/internal/tftp"
)

// requests is how often a file is asked for within the timeout, at equal distances: packets get lost.
const requests = 3

// blockSize is the size of a full block where no other was agreed on (RFC 1350).
const blockSize = 512

// packetConn is what is used of a *net.UDPConn.
type packetConn interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	SetReadDeadline(t time.Time) error
	io.Closer
}

func listenUDP(ctx context.Context) (packetConn, error) {
	var config net.ListenConfig
	conn, err := config.ListenPacket(ctx, "udp4", ":0")
	if err != nil {
		return nil, err
	}
	udp, ok := conn.(*net.UDPConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("udp4 gives a %T", conn), conn.Close())
	}
	return udp, nil
}

// firstBlock fetches the first block of a file, as firmware begins to, and breaks the transfer off. No option is asked
// for, because every server knows the protocol without. A port and so a transfer of its own for each file.
func (p *Prober) firstBlock(ctx context.Context, server netip.AddrPort, name string) error {
	conn, err := p.listen(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	// Whatever ends ctx also ends the read that is waiting.
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	t := transfer{conn: conn, server: server}
	request := tftp.Packet{Op: tftp.OpRRQ, Name: name, Mode: "octet"}.AppendTo(nil)
	for range requests {
		if _, err := conn.WriteToUDPAddrPort(request, server); err != nil {
			return ended(ctx, err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(p.timeout / requests)); err != nil {
			return ended(ctx, err)
		}
		err := t.await()
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return ended(ctx, err)
		}
	}
	if t.stray.IsValid() {
		return heardf("no answer from that address, but one from %s: let the server answer from the address it is asked at", t.stray)
	}
	return context.DeadlineExceeded
}

// transfer waits for the answer to one request.
type transfer struct {
	conn   packetConn
	server netip.AddrPort
	// stray is who else sent something.
	stray netip.Addr
}

// await reads until a packet settles whether the file is served, or the deadline has passed.
func (t *transfer) await() error {
	buffer := make([]byte, 2*blockSize) // longer packets are cut, and are still seen to be too long
	for {
		n, from, err := t.conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return err
		}
		// The server answers from a port of its choice, which identifies the transfer (RFC 1350 section 4).
		if from.Addr().Unmap() != t.server.Addr() {
			t.stray = from.Addr().Unmap()
			continue
		}
		p, err := tftp.Parse(buffer[:n])
		if err != nil {
			continue // the network may deliver anything; an answer may follow
		}
		settled, err := judge(p)
		if !settled {
			continue
		}
		if err == nil {
			// So that the server need not wait for an ACK. When this is lost it finds out by its timeout.
			_, _ = t.conn.WriteToUDPAddrPort(tftp.ErrorPacket(tftp.CodeUndefined, "probe: the first block is enough"), from)
		}
		return err
	}
}

// judge says whether a packet settles if the file is served, and what is wrong then. What is not an answer to a request
// without options is passed over.
func judge(p tftp.Packet) (settled bool, err error) {
	switch {
	case p.Op == tftp.OpERROR:
		return true, heardf("answered ERROR %d %.80q: is that file there?", p.Code, p.Message)
	case p.Op != tftp.OpDATA || p.Block != 1:
		return false, nil
	case len(p.Payload) == 0:
		return true, heardf("the file is empty: put the binary there")
	case len(p.Payload) > blockSize:
		return true, heardf("answered a block of more than %d bytes, which nobody asked for: does that server follow RFC 1350?", blockSize)
	}
	return true, nil
}
