package rows

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/tugboot/tugboot/test/conformance/wire"
)

// Level is how binding a rule is (RFC 2119). Rules from before RFC 2119, or of no RFC, have the level that their text means.
type Level string

// The levels.
const (
	Must   Level = "MUST"
	Should Level = "SHOULD"
	May    Level = "MAY"
)

// Result is what became of a row.
type Result string

// The results.
const (
	Pass Result = "pass"
	Fail Result = "FAIL"
	// Silent: no answer came where the rule wants one.
	Silent Result = "silent"
	// NotApplicable: the server, as it is configured, gives no occasion to see whether it keeps the rule.
	NotApplicable Result = "n/a"
)

// Verdict is a result with what was seen, in one line.
type Verdict struct {
	Result   Result `json:"result"`
	Evidence string `json:"evidence"`
}

// Row is one rule.
type Row struct {
	// ID is unique, in small letters, such as "2131-4.1-giaddr".
	ID string `json:"id"`
	// Source is the document and the section, such as "RFC 2131 4.1".
	Source string `json:"source"`
	Level  Level  `json:"level"`
	// Rule says in one sentence what the server is to do.
	Rule string `json:"rule"`

	judge func(*Client) Verdict
}

// Group is the rows of one protocol.
type Group struct {
	Name string
	Rows []Row
	// Last are further rows, to be run after those of all groups: they may leave a mark on a server.
	Last []Row
}

// The names of the groups.
const (
	DHCP  = "DHCP"
	Relay = "DHCP through relay agents"
	PXE   = "PXE"
	HTTP  = "HTTP boot"
	TFTP  = "TFTP"
)

// All returns every row.
func All() []Group {
	return []Group{
		{Name: DHCP, Last: partingRows(), Rows: slices.Concat(headerRows(), deliveryRows(), malformedRows(), requestRows(), keepingRows(), refusalRows(),
			informRows(), leaseRows(), optionRows(), sizeRows(), pieceRows())},
		{Name: Relay, Rows: slices.Concat(relayRows(), linkRows(), queryRows())},
		{Name: PXE, Rows: slices.Concat(archRows(), pxeRows(), userClassRows(), vendorRows())},
		{Name: HTTP, Rows: slices.Concat(httpOfferRows(), httpRows(), pathRows())},
		{Name: TFTP, Rows: slices.Concat(tftpRequestRows(), tftpErrorRows(), tftpDataRows(), tftpOptionRows(), tftpWindowRows())},
	}
}

// Judge asks the server and judges it by the row.
func (r Row) Judge(c *Client) (v Verdict) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case broken:
			v = failed("%v", cause)
		default:
			panic(cause)
		}
	}()
	return r.judge(c)
}

// broken ends a row in its middle: what it needs is not there.
type broken struct{ error }

// Machine is a machine that the server has a reservation for.
type Machine struct {
	MAC  wire.MAC
	Addr netip.Addr
}

// Target is the server that is asked, and what it is known to have.
type Target struct {
	// Server is its address on the interface's network.
	Server netip.Addr
	// Interface is where it is asked.
	Interface string
	// Known are machines with reservations, none in use. The first is asked for most often; the last one on the interface's
	// own network declines and releases its address at the end. One of another network is asked for through a relay agent. One
	// with the interface's own address is this host, to whose address a server may bind what it gives by HTTP.
	Known []Machine
	// TFTPFile is a file that the server has, empty for no TFTP rows.
	TFTPFile string
	// UserClass is the user class to which the server gives another boot file.
	UserClass string
	// Patience is how long an answer is waited for before the question is repeated once.
	Patience time.Duration
}

func passed(format string, args ...any) Verdict { return Verdict{Pass, line(format, args)} }

func failed(format string, args ...any) Verdict { return Verdict{Fail, line(format, args)} }

func notApplicable(format string, args ...any) Verdict {
	return Verdict{NotApplicable, line(format, args)}
}

func unanswered(format string, args ...any) Verdict { return Verdict{Silent, line(format, args)} }

// judged is a pass or a failure with the same evidence.
func judged(ok bool, format string, args ...any) Verdict {
	if ok {
		return passed(format, args...)
	}
	return failed(format, args...)
}

// line keeps what a server said from breaking out of one line.
func line(format string, args []any) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == '|' || r == '`' || r > '~' && r < 0xa0 {
			return '?'
		}
		return r
	}, fmt.Sprintf(format, args...))
}
