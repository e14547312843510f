package journal

import "net/netip"

// Exchange is a question and its answer, such as "DISCOVER -> OFFER 192.168.2.10 ipxe.efi".
type Exchange struct {
	Asked string
	For   [4]byte // the IPv4 address that was asked for; 0.0.0.0 for none in particular
	// Answered is the answer's name, Address and BootFile what it gives.
	Answered string
	Address  [4]byte
	BootFile string
	// Then is added as it is.
	Then string
}

// String puts it into words.
func (e Exchange) String() string {
	text := e.Asked
	if e.For != [4]byte{} {
		text += " " + netip.AddrFrom4(e.For).String()
	}
	text += " -> " + e.Answered
	if e.Address != [4]byte{} {
		text += " " + netip.AddrFrom4(e.Address).String()
	}
	if e.BootFile != "" {
		text += " " + e.BootFile
	}
	return text + e.Then
}

// worded is the entry with its exchange in words.
func (e Entry) worded() Entry {
	if e.What == "" && e.Exchange.Asked != "" {
		e.What, e.Exchange = e.Exchange.String(), Exchange{}
	}
	return e
}
