package tftp

import (
	"strconv"
	"strings"
	"time"
)

// Bounds and defaults of the options, in bytes, blocks and seconds (RFC 1350, 2348, 2349, 7440).
const (
	MinBlockSize     = 8
	MaxBlockSize     = 65464
	DefaultBlockSize = 512
	MaxWindowSize    = 64 // RFC 7440 allows 65535; more than 64 blocks in flight gain nothing on a LAN
	MaxTimeout       = 255
	MaxName          = 255
)

// PacketOverhead is what IPv4, UDP and TFTP add to a block, in bytes: the MTU of a path less this is the largest block
// that is not fragmented on it.
const PacketOverhead = 20 + 8 + headerSize

// Terms are what client and server agreed on.
type Terms struct {
	// BlockSize is the size of every block but the last, in bytes, 8..65464.
	BlockSize int
	// WindowSize is the number of blocks sent per acknowledgement, 1..64.
	WindowSize int
	// Timeout is the client's wish for the time until a retransmission, 1..255 s; zero when it has none.
	Timeout time.Duration
	// Netascii is true when line ends are translated (RFC 764); false for octet.
	Netascii bool
}

// Check judges all of a request but its options, so that its file need not be looked for. The error is a *Fault.
func Check(p Packet) error {
	if p.Op != OpRRQ {
		return &Fault{ReasonWriteRefused, CodeAccessViolation, "writing is refused: this server is read-only"}
	}
	switch {
	case p.Name == "":
		return &Fault{ReasonNameRefused, CodeAccessViolation, "the file name is empty"}
	case len(p.Name) > MaxName:
		return &Fault{ReasonNameRefused, CodeAccessViolation,
			"the file name has " + strconv.Itoa(len(p.Name)) + " bytes: at most " + strconv.Itoa(MaxName) + " are allowed"}
	case strings.ContainsFunc(p.Name, control):
		return &Fault{ReasonNameRefused, CodeAccessViolation, "the file name holds control characters"}
	case !strings.EqualFold(p.Mode, "octet") && !isNetascii(p):
		return &Fault{ReasonModeRefused, CodeIllegalOperation, "the transfer mode is unknown: ask for octet (binary)"}
	}
	return nil
}

func control(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }

func isNetascii(p Packet) bool { return strings.EqualFold(p.Mode, "netascii") }

// negotiate settles the options of a request for a body of size bytes, and returns the options of the OACK: none when
// the client asked for nothing that is known here. Unknown options are ignored, and of a repeated one the first counts.
// maxBlock is the largest block to agree to. Netascii, which is for people and small files, goes block by block.
func negotiate(p Packet, size int64, maxBlock int) (Terms, []Option, *Fault) {
	terms := Terms{BlockSize: DefaultBlockSize, WindowSize: 1, Netascii: isNetascii(p)}
	var agreed []Option
	seen := map[string]bool{}
	for _, o := range p.Options {
		name := strings.ToLower(o.Name)
		if seen[name] {
			continue
		}
		seen[name] = true
		value, known, fault := terms.settle(name, o.Value, size, maxBlock)
		if fault != nil {
			return Terms{}, nil, fault
		}
		if known && name == "windowsize" && terms.Netascii {
			terms.WindowSize, value = 1, 1
		}
		if known {
			agreed = append(agreed, Option{o.Name, strconv.FormatInt(value, 10)})
		}
	}
	return terms, agreed, nil
}

// settle applies one option and returns the value to agree to. Above its range a value is lowered, as RFC 2348 and
// RFC 7440 let a server do; below it, or where RFC 2349 allows no other value, the request is refused.
func (t *Terms) settle(name, text string, size int64, maxBlock int) (value int64, known bool, fault *Fault) {
	var least, most int64
	switch name {
	case "blksize":
		least, most = MinBlockSize, maxNumber
	case "windowsize":
		least, most = 1, maxNumber
	case "timeout":
		least, most = 1, MaxTimeout
	case "tsize":
		least, most = 0, maxNumber
	default:
		return 0, false, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most || strings.HasPrefix(text, "+") {
		return 0, true, &Fault{ReasonOptionRefused, CodeOptionRefused,
			"option " + name + ": value refused: it must be a number in its RFC's range"}
	}
	switch name {
	case "blksize":
		n = min(n, MaxBlockSize, int64(maxBlock))
		t.BlockSize = int(n)
	case "windowsize":
		n = min(n, MaxWindowSize)
		t.WindowSize = int(n)
	case "timeout":
		t.Timeout = time.Duration(n) * time.Second
	case "tsize":
		n = size
	}
	return n, true, nil
}

// maxNumber bounds the numbers that count as a wish and not as nonsense.
const maxNumber = 1<<32 - 1
