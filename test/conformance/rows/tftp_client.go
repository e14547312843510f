package rows

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"
)

// TFTP's opcodes and error codes (RFC 1350 section 5, RFC 2347).
const (
	opRRQ   = 1
	opWRQ   = 2
	opDATA  = 3
	opACK   = 4
	opERROR = 5
	opOACK  = 6

	errNotFound  = 1
	errIllegal   = 4
	errTID       = 5
	errNegotiate = 8

	tftpPort = 69
)

// lap is how long a TFTP packet is waited for that the server has no reason to delay.
const lap = 2 * time.Second

// packet is one TFTP packet.
type packet struct {
	op      uint16
	block   uint16 // of DATA and ACK; the code of an ERROR
	body    []byte // of DATA; the text of an ERROR
	options map[string]string
	names   []string // of the options, as they were written
	from    netip.AddrPort
}

func (p packet) String() string {
	switch p.op {
	case 0:
		return "nothing"
	case opDATA:
		return fmt.Sprintf("DATA %d of %d bytes", p.block, len(p.body))
	case opACK:
		return fmt.Sprintf("ACK %d", p.block)
	case opERROR:
		return fmt.Sprintf("ERROR %d %q", p.block, p.body)
	case opOACK:
		return fmt.Sprintf("OACK %v", p.options)
	}
	return fmt.Sprintf("opcode %d", p.op)
}

// reader is one client of the TFTP server: a socket, that is a TID.
type reader struct {
	conn   *net.UDPConn
	server netip.AddrPort // where requests go
	peer   netip.AddrPort // the server's TID, once it is known
}

// close gives the socket back; that it could not be closed changes no verdict, but ends the row.
func (r *reader) close() {
	if err := r.conn.Close(); err != nil {
		panic(broken{err})
	}
}

// newReader opens a socket. Whatever goes wrong ends the row.
func (c *Client) newReader() *reader {
	if c.TFTPFile == "" {
		panic(broken{errors.New("no TFTP file is named")})
	}
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(c.link.Prefix.Addr(), 0)))
	if err != nil {
		panic(broken{err})
	}
	return &reader{conn: conn, server: netip.AddrPortFrom(c.Server, tftpPort)}
}

// reading is a row's judge with a reader of its own.
func reading(judge func(c *Client, r *reader) Verdict) func(*Client) Verdict {
	return func(c *Client) Verdict {
		if c.TFTPFile == "" {
			return notApplicable("no TFTP file is named")
		}
		r := c.newReader()
		defer r.close()
		return judge(c, r)
	}
}

func (r *reader) sendTo(to netip.AddrPort, b []byte) {
	if _, err := r.conn.WriteToUDPAddrPort(b, to); err != nil {
		panic(broken{err})
	}
}

// words makes a request.
func words(op uint16, parts ...string) []byte {
	b := binary.BigEndian.AppendUint16(nil, op)
	for _, part := range parts {
		b = append(append(b, part...), 0)
	}
	return b
}

func numbered(op, number uint16, text string) []byte {
	b := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, op), number)
	return append(b, text...)
}

// request asks for the file in octet mode, with options as name, value and so on, and returns the first packet.
func (r *reader) request(name string, options ...string) (packet, bool) {
	return r.first(words(opRRQ, append([]string{name, "octet"}, options...)...))
}

// first sends a request, once more when nothing comes, and returns the first answer. Its TID is the server's from now on.
func (r *reader) first(request []byte) (packet, bool) {
	for range 2 {
		r.sendTo(r.server, request)
		if p, ok := r.next(lap); ok {
			r.peer = p.from
			return p, true
		}
	}
	return packet{}, false
}

// next returns the next packet that comes within that time.
func (r *reader) next(within time.Duration) (packet, bool) {
	buffer := make([]byte, 1<<16)
	if err := r.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		panic(broken{err})
	}
	n, from, err := r.conn.ReadFromUDPAddrPort(buffer)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return packet{}, false
	case err != nil:
		panic(broken{err})
	}
	p, err := parsePacket(buffer[:n])
	if err != nil {
		panic(broken{err})
	}
	p.from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	return p, true
}

func parsePacket(b []byte) (packet, error) {
	if len(b) < 4 {
		return packet{}, fmt.Errorf("a TFTP packet of %d bytes", len(b))
	}
	p := packet{op: binary.BigEndian.Uint16(b), block: binary.BigEndian.Uint16(b[2:]), body: b[4:]}
	switch p.op {
	case opERROR:
		p.body, _, _ = bytes.Cut(p.body, []byte{0})
	case opOACK:
		p.options = map[string]string{}
		parts := bytes.Split(bytes.TrimSuffix(b[2:], []byte{0}), []byte{0})
		if len(parts)%2 != 0 {
			return packet{}, fmt.Errorf("an OACK with a name and no value: %q", b)
		}
		for i := 0; i < len(parts); i += 2 {
			name := string(bytes.ToLower(parts[i]))
			p.options[name] = string(parts[i+1])
			p.names = append(p.names, string(parts[i]))
		}
	}
	return p, nil
}

func (r *reader) ack(block uint16) { r.sendTo(r.peer, numbered(opACK, block, "")) }

func (r *reader) abort(code uint16) {
	r.sendTo(r.peer, append(numbered(opERROR, code, "conformance"), 0))
}

// count counts the packets that come within that time.
func (r *reader) count(within time.Duration) (packets, size int) {
	for deadline := time.Now().Add(within); ; {
		p, ok := r.next(time.Until(deadline))
		if !ok {
			return packets, size
		}
		packets++
		size += 4 + len(p.body)
	}
}

// download reads the whole file, block by block, and tells each block's number to see. A block that does not come is asked for
// again three times.
func (r *reader) download(c *Client, see func(p packet), options ...string) ([]byte, packet) {
	p, ok := r.request(c.TFTPFile, options...)
	if !ok {
		panic(broken{errors.New("no answer to a read request")})
	}
	oack := p
	size := 512
	if p.op == opOACK {
		if value, agreed := p.options["blksize"]; agreed {
			size, _ = strconv.Atoi(value) // 0, and so the end, when it is no number
		}
		r.ack(0)
		p = r.want(1, 0)
	}
	var whole []byte
	for block := uint16(1); ; block++ {
		if p.op != opDATA {
			panic(broken{fmt.Errorf("%v in the place of DATA %d", p, block)})
		}
		if see != nil {
			see(p)
		}
		whole = append(whole, p.body...)
		r.ack(block)
		if len(p.body) < size {
			return whole, oack
		}
		p = r.want(block+1, block)
	}
}

// want returns DATA of that block, or what is not DATA; acked is what is acknowledged again when nothing comes.
func (r *reader) want(block, acked uint16) packet {
	for range 4 {
		for {
			p, ok := r.next(lap)
			if !ok {
				r.ack(acked)
				break
			}
			if p.op != opDATA || p.block == block {
				return p
			}
		}
	}
	panic(broken{fmt.Errorf("DATA %d does not come", block)})
}

// whole is what the file holds; it is read once, in large blocks where the server agrees to that.
func (c *Client) whole() []byte {
	if c.content == nil {
		r := c.newReader()
		defer r.close()
		c.content, _ = r.download(c, nil, "blksize", "1428")
	}
	return c.content
}
