package dhcp4

import "slices"

// Sizes in bytes. The maximum message size of option 57 counts the IP and UDP headers; RFC 2132 section 9.10 does not
// say so, but a client that counted without them only receives less than it could.
const (
	minMaxMessageSize = 576  // what every client accepts (RFC 2131 section 2)
	maxMaxMessageSize = 1500 // more would be sent in fragments, which firmware does not put together
	ipAndUDP          = 28
	minReply          = 300 // BOOTP's; some relay agents and clients drop anything shorter (RFC 1542 section 2.1)
	maxPiece          = 255
)

// option is one option of a reply; what is longer than 255 bytes goes out in pieces (RFC 3396).
type option struct {
	code  uint8
	value []byte
}

// size is the number of bytes on the wire.
func (o option) size() int { return len(o.value) + 2*((len(o.value)+maxPiece-1)/maxPiece) }

// limit is the largest UDP payload that the client accepts.
func (q *Request) limit() int {
	return min(max(int(q.MaxMessageSize), minMaxMessageSize), maxMaxMessageSize) - ipAndUDP
}

// expendable lists the options that may be left out, the first to go first: comforts of an operating system, names of
// what the header holds too, and last what costs the machine some of its network. The rest is never left out, nor is
// any option cut short.
func expendable() []uint8 {
	return []uint8{optDomainSearch, optTimeServer, optBroadcast, optTFTPServerName, optBootFile, optDomainName,
		optHostName, optMessage, optIPXE, optNameServer, optClasslessRoutes}
}

// fit leaves out whole options until the message has at most limit bytes. It returns false when that cannot be done.
func fit(options []option, limit int) (kept []option, omitted []uint8, fits bool) {
	size := offOptions + 1
	for _, o := range options {
		size += o.size()
	}
	for _, code := range expendable() {
		if size <= limit {
			break
		}
		n := slices.IndexFunc(options, func(o option) bool { return o.code == code })
		if n < 0 || code == optBootFile && !inFileField(string(options[n].value)) {
			continue
		}
		size -= options[n].size()
		options = slices.Delete(options, n, n+1)
		omitted = append(omitted, code)
	}
	return options, omitted, size <= limit
}

// appendOptions finishes the message b: options, End, and zeros up to BOOTP's smallest message.
func appendOptions(b []byte, options []option) []byte {
	for _, o := range options {
		for piece := range slices.Chunk(o.value, maxPiece) {
			b = append(b, o.code, uint8(len(piece)))
			b = append(b, piece...)
		}
	}
	b = append(b, optEnd)
	if short := minReply - len(b); short > 0 {
		b = append(b, make([]byte, short)...)
	}
	return b
}
