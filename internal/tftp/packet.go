package tftp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/tugboot/tugboot/internal/boot"
)

// Opcode is the kind of a packet (RFC 1350 section 5, RFC 2347).
type Opcode uint16

// The opcodes.
const (
	OpRRQ   Opcode = 1
	OpWRQ   Opcode = 2
	OpDATA  Opcode = 3
	OpACK   Opcode = 4
	OpERROR Opcode = 5
	OpOACK  Opcode = 6
)

// ErrorCode is the number in an ERROR packet (RFC 1350 appendix, RFC 2347).
type ErrorCode uint16

// The error codes that this server sends or gives a meaning.
const (
	CodeUndefined        ErrorCode = 0
	CodeFileNotFound     ErrorCode = 1
	CodeAccessViolation  ErrorCode = 2
	CodeIllegalOperation ErrorCode = 4
	CodeUnknownTID       ErrorCode = 5
	CodeOptionRefused    ErrorCode = 8
)

// Option is one option of a request or an OACK (RFC 2347).
type Option struct{ Name, Value string }

// Packet is one parsed packet. Which fields are set depends on Op.
type Packet struct {
	Op Opcode
	// Name and Mode are of RRQ and WRQ, as sent.
	Name, Mode string
	// Options are of RRQ, WRQ and OACK, in the order of the packet.
	Options []Option
	// Block is of DATA and ACK.
	Block uint16
	// Payload is of DATA, 0..65464 bytes; it shares memory with the parsed bytes.
	Payload []byte
	// Code and Message are of ERROR.
	Code    ErrorCode
	Message string
}

// Fault is the error of a packet or request that is refused, with the ERROR that answers it.
type Fault struct {
	Reason  boot.Reason
	Code    ErrorCode
	Message string
}

// Error implements error.
func (f *Fault) Error() string { return fmt.Sprintf("%s: %s", f.Reason, f.Message) }

func malformed(format string, args ...any) *Fault {
	return &Fault{Reason: ReasonMalformed, Code: CodeIllegalOperation, Message: fmt.Sprintf(format, args...)}
}

// headerSize is the length of the opcode and the block number, or of the opcode and the error code.
const headerSize = 4

// Parse reads one UDP payload. The error is a *Fault with ReasonMalformed. Bytes after a complete ACK are ignored, and a
// missing NUL after an ERROR's message is forgiven: clients of both kinds exist.
func Parse(b []byte) (Packet, error) {
	if len(b) < headerSize {
		return Packet{}, malformed("packet of %d bytes: the shortest has %d", len(b), headerSize)
	}
	p := Packet{Op: Opcode(binary.BigEndian.Uint16(b))}
	number, rest := binary.BigEndian.Uint16(b[2:]), b[headerSize:]
	switch p.Op {
	case OpRRQ, OpWRQ:
		err := p.parseRequest(b[2:])
		return p, err
	case OpOACK:
		err := p.parseOptions(b[2:])
		return p, err
	case OpDATA:
		p.Block, p.Payload = number, rest
	case OpACK:
		p.Block = number
	case OpERROR:
		message, _, _ := bytes.Cut(rest, []byte{0}) // what follows the NUL, and whether there is one, means nothing
		p.Code, p.Message = ErrorCode(number), string(message)
	default:
		return Packet{}, malformed("opcode %d is none of 1 to 6", p.Op)
	}
	return p, nil
}

func (p *Packet) parseRequest(b []byte) error {
	name, rest, okName := cutString(b)
	mode, rest, okMode := cutString(rest)
	if !okName || !okMode {
		return malformed("request without a file name and a mode that each end in a NUL")
	}
	p.Name, p.Mode = name, mode
	return p.parseOptions(rest)
}

// parseOptions reads pairs of strings. A tail of NULs is padding: some ROMs send requests of a fixed size.
func (p *Packet) parseOptions(b []byte) error {
	for len(bytes.TrimLeft(b, "\x00")) > 0 {
		name, rest, okName := cutString(b)
		value, rest, okValue := cutString(rest)
		if !okName || !okValue || name == "" {
			return malformed("option without a name and a value that each end in a NUL")
		}
		p.Options = append(p.Options, Option{name, value})
		b = rest
	}
	return nil
}

func cutString(b []byte) (s string, rest []byte, found bool) {
	text, rest, found := bytes.Cut(b, []byte{0})
	return string(text), rest, found
}

// AppendTo appends the packet's bytes to b. Strings must not hold NULs.
func (p Packet) AppendTo(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(p.Op))
	switch p.Op {
	case OpRRQ, OpWRQ:
		b = append(append(b, p.Name...), 0)
		b = append(append(b, p.Mode...), 0)
		return appendOptions(b, p.Options)
	case OpOACK:
		return appendOptions(b, p.Options)
	case OpDATA:
		return append(binary.BigEndian.AppendUint16(b, p.Block), p.Payload...)
	case OpACK:
		return binary.BigEndian.AppendUint16(b, p.Block)
	case OpERROR:
		b = binary.BigEndian.AppendUint16(b, uint16(p.Code))
		return append(append(b, p.Message...), 0)
	default:
		return b
	}
}

func appendOptions(b []byte, options []Option) []byte {
	for _, o := range options {
		b = append(append(b, o.Name...), 0)
		b = append(append(b, o.Value...), 0)
	}
	return b
}

// MaxMessage is the longest text of an ERROR packet, in bytes: more does not fit a firmware's screen.
const MaxMessage = 200

// ErrorPacket returns the bytes of an ERROR. Of the message the first MaxMessage bytes are sent, with everything but
// printable ASCII replaced by "?": it may repeat what a stranger sent, and goes to a console.
func ErrorPacket(code ErrorCode, message string) []byte {
	printable := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, message)
	return Packet{Op: OpERROR, Code: code, Message: printable[:min(len(printable), MaxMessage)]}.AppendTo(nil)
}
