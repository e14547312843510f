package tftpload

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tugboot/tugboot/test/bench/fleet"
)

// Opcodes of RFC 1350 and 2347.
const (
	opRRQ   = 1
	opDATA  = 3
	opACK   = 4
	opERROR = 5
	opOACK  = 6
)

// Ask is what clients ask for.
type Ask struct {
	Server netip.AddrPort
	File   string
	// Blksize and Windowsize are asked for unless they are what a client gets without asking, 512 and 1.
	Blksize, Windowsize int
	// OwnAddress makes every client speak from the address of the machine of its number.
	OwnAddress bool
	// Repeat is how long a client waits for an answer before it repeats itself, Tries how often it does.
	Repeat time.Duration
	Tries  int
}

func (a Ask) request() []byte {
	packet := []byte{0, opRRQ}
	for _, word := range []string{a.File, "octet", "tsize", "0"} {
		packet = append(append(packet, word...), 0)
	}
	if a.Blksize != 512 {
		packet = append(append(append(packet, "blksize\x00"...), strconv.Itoa(a.Blksize)...), 0)
	}
	if a.Windowsize > 1 {
		packet = append(append(append(packet, "windowsize\x00"...), strconv.Itoa(a.Windowsize)...), 0)
	}
	return packet
}

// client is one transfer.
type client struct {
	id       int
	ask      *Ask
	want     []byte
	fd       int
	begun    time.Time
	spoke    time.Time // when it last sent, or was sent what it waited for
	tries    int
	last     []byte // what is repeated
	ack      [4]byte
	blksize  int
	window   int
	accepted bool   // the server's port is known, and the socket connected to it
	block    uint16 // the last block that came in order
	offset   int    // how much came in order
	inWindow int
	repeated int
	asked    bool // a gap in this window was reported
}

// dial opens the client's socket and sends its request.
func dial(id int, ask *Ask, want []byte, now time.Time) (*client, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("UDP socket: %w", err)
	}
	if ask.OwnAddress {
		if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: fleet.Machine(id % fleet.Hosted).Address().As4()}); err != nil {
			return nil, errors.Join(fmt.Errorf("UDP socket of machine %d: %w", id, err), unix.Close(fd))
		}
	}
	c := &client{id: id, ask: ask, want: want, fd: fd, begun: now, spoke: now, blksize: 512, window: 1, last: ask.request()}
	c.ack[1] = opACK
	return c, c.send()
}

// send sends the last packet. A packet that the kernel does not take is lost like any other.
func (c *client) send() error {
	var err error
	if c.accepted {
		_, err = unix.Write(c.fd, c.last)
	} else {
		err = unix.Sendto(c.fd, c.last, 0, &unix.SockaddrInet4{Port: int(c.ask.Server.Port()), Addr: c.ask.Server.Addr().As4()})
	}
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.ENOBUFS) {
		return nil
	}
	return err
}

func (c *client) acknowledge(block uint16) error {
	binary.BigEndian.PutUint16(c.ack[2:], block)
	c.last = c.ack[:]
	return c.send()
}

// read takes what has arrived into buffer, and returns true when the transfer is complete.
func (c *client) read(buffer []byte, now time.Time) (bool, error) {
	for {
		var n int
		var err error
		if c.accepted {
			n, err = unix.Read(c.fd, buffer)
		} else {
			n, err = c.readFirst(buffer)
		}
		switch {
		case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) || errors.Is(err, unix.ECONNREFUSED):
			return false, nil
		case err != nil:
			return false, err
		}
		done, err := c.take(buffer[:n], now)
		if done || err != nil {
			return done, err
		}
	}
}

// readFirst reads the first answer, whose port is that of the transfer from then on.
func (c *client) readFirst(buffer []byte) (int, error) {
	n, from, err := unix.Recvfrom(c.fd, buffer, 0)
	if err != nil {
		return 0, err
	}
	address, ok := from.(*unix.SockaddrInet4)
	if !ok || address.Addr != c.ask.Server.Addr().As4() {
		return 0, unix.EAGAIN
	}
	c.accepted = true
	return n, unix.Connect(c.fd, from)
}

func (c *client) take(packet []byte, now time.Time) (bool, error) {
	if len(packet) < 4 {
		return false, fmt.Errorf("a packet of %d bytes", len(packet))
	}
	switch op := binary.BigEndian.Uint16(packet); op {
	case opOACK:
		if c.offset > 0 || c.block > 0 {
			return false, nil
		}
		c.spoke, c.tries = now, 0
		return false, c.options(packet[2:])
	case opDATA:
		return c.data(binary.BigEndian.Uint16(packet[2:]), packet[4:], now)
	case opERROR:
		return false, fmt.Errorf("the server says error %d, %q", binary.BigEndian.Uint16(packet[2:]), bytes.TrimRight(packet[4:], "\x00"))
	default:
		return false, fmt.Errorf("a packet with opcode %d", op)
	}
}

func (c *client) options(text []byte) error {
	words := bytes.Split(text, []byte{0})
	for i := 0; i+1 < len(words); i += 2 {
		value, err := strconv.Atoi(string(words[i+1]))
		if err != nil {
			return fmt.Errorf("option %q has the value %q", words[i], words[i+1])
		}
		switch name := string(bytes.ToLower(words[i])); {
		case name == "blksize" && value >= 8 && value <= c.ask.Blksize:
			c.blksize = value
		case name == "windowsize" && value >= 1 && value <= c.ask.Windowsize:
			c.window = value
		case name == "tsize" && value == len(c.want):
		case name == "tsize" && value == 0: // a server that does not know
		default:
			return fmt.Errorf("option %q has the value %d", name, value)
		}
	}
	return c.acknowledge(0)
}

// data takes one block, and returns true with the last one.
func (c *client) data(block uint16, body []byte, now time.Time) (bool, error) {
	if block != c.block+1 {
		// RFC 7440 section 4: what was lost is asked for once, by the last block that came in order.
		if c.asked || c.window == 1 {
			return false, nil
		}
		c.asked, c.inWindow = true, 0
		c.repeated++
		return false, c.acknowledge(c.block)
	}
	end := min(c.offset+c.blksize, len(c.want))
	if !bytes.Equal(body, c.want[c.offset:end]) {
		return false, fmt.Errorf("block %d after %d bytes is not what the file holds", block, c.offset)
	}
	c.block, c.offset, c.spoke, c.tries, c.asked = block, end, now, 0, false
	c.inWindow++
	last := len(body) < c.blksize
	if !last && c.inWindow < c.window {
		return false, nil
	}
	c.inWindow = 0
	return last, c.acknowledge(block)
}

// again repeats what has had no answer for too long.
func (c *client) again(now time.Time) error {
	if now.Sub(c.spoke) < c.ask.Repeat {
		return nil
	}
	if c.tries++; c.tries > c.ask.Tries {
		return fmt.Errorf("no answer after %d repetitions", c.ask.Tries)
	}
	c.spoke, c.inWindow, c.asked = now, 0, false
	c.repeated++
	if c.offset > 0 {
		return c.acknowledge(c.block)
	}
	return c.send()
}
