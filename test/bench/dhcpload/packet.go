package dhcpload

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/iana"

	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/test/bench/fleet"
)

// Stage is who asks.
type Stage int

// The stages of a boot.
const (
	// Firmware is a UEFI machine's PXE client: it is told to fetch a boot file by TFTP.
	Firmware Stage = iota
	// IPXE is the iPXE that the machine fetched, with the user class Tinkerbell: it is told a script's URL.
	IPXE
)

// Offsets of the header's fields (RFC 2131 section 2).
const (
	atHops    = 3
	atXID     = 4
	atSecs    = 8
	atYiaddr  = 16
	atSiaddr  = 20
	atGiaddr  = 24
	atChaddr  = 28
	atFile    = 108
	atCookie  = 236
	atOptions = 240
	fileSize  = 128
)

// question is a packet in which the fields that differ from machine to machine are filled in.
type question struct {
	bytes []byte
	// requested and server are where options 50 and 54 have their value; 0 in a DISCOVER.
	requested, server int
}

// newQuestion makes a DISCOVER or a REQUEST as a relay agent hands it on.
func newQuestion(kind dhcpv4.MessageType, stage Stage) (question, error) {
	zero := net.IPv4zero.To4()
	options := []dhcpv4.Modifier{
		dhcpv4.WithMessageType(kind), dhcpv4.WithGatewayIP(fleet.Client.AsSlice()),
		dhcpv4.WithHwAddr(net.HardwareAddr(make([]byte, 6))),
		dhcpv4.WithRequestedOptions(dhcpv4.OptionSubnetMask, dhcpv4.OptionRouter, dhcpv4.OptionDomainNameServer, dhcpv4.OptionHostName,
			dhcpv4.OptionIPAddressLeaseTime, dhcpv4.OptionServerIdentifier, dhcpv4.OptionClassIdentifier,
			dhcpv4.OptionTFTPServerName, dhcpv4.OptionBootfileName),
		dhcpv4.WithOption(dhcpv4.OptMaxMessageSize(1472)),
		dhcpv4.WithOption(dhcpv4.OptClassIdentifier("PXEClient:Arch:00007:UNDI:003016")),
		dhcpv4.WithOption(dhcpv4.OptClientArch(iana.EFI_X86_64)),
		dhcpv4.WithGeneric(dhcpv4.OptionClientNetworkInterfaceIdentifier, []byte{1, 3, 16}),
		dhcpv4.WithGeneric(dhcpv4.OptionClientMachineIdentifier, make([]byte, 17)),
	}
	if stage == IPXE {
		options = append(options, dhcpv4.WithGeneric(dhcpv4.OptionUserClassInformation, []byte("Tinkerbell")))
	}
	if kind == dhcpv4.MessageTypeRequest {
		options = append(options, dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(zero)), dhcpv4.WithOption(dhcpv4.OptServerIdentifier(zero)))
	}
	packet, err := dhcpv4.New(options...)
	if err != nil {
		return question{}, fmt.Errorf("make a %v: %w", kind, err)
	}
	q := question{bytes: packet.ToBytes()}
	q.bytes[atHops] = 1
	for code, value := range walk(q.bytes) {
		at := cap(q.bytes) - cap(value)
		switch code {
		case dhcpv4.OptionRequestedIPAddress.Code():
			q.requested = at
		case dhcpv4.OptionServerIdentifier.Code():
			q.server = at
		}
	}
	return q, nil
}

// put writes the packet of one machine into to, which has its length.
func (q question) put(to []byte, xid uint32, mac reservation.MAC, secs uint16) {
	copy(to, q.bytes)
	binary.BigEndian.PutUint32(to[atXID:], xid)
	binary.BigEndian.PutUint16(to[atSecs:], secs)
	copy(to[atChaddr:], mac[:])
}

// claim fills in what a REQUEST asks for, and whom.
func (q question) claim(to []byte, address, server netip.Addr) {
	a, s := address.As4(), server.As4()
	copy(to[q.requested:], a[:])
	copy(to[q.server:], s[:])
}

// walk yields the options of a packet in order. A value's capacity tells where it is. It ends at what is cut short.
func walk(packet []byte) func(yield func(code byte, value []byte) bool) {
	return func(yield func(code byte, value []byte) bool) {
		if len(packet) < atOptions {
			return
		}
		for rest := packet[atOptions:]; len(rest) > 1 && rest[0] != 255; {
			if rest[0] == 0 {
				rest = rest[1:]
				continue
			}
			code, length := rest[0], int(rest[1])
			if len(rest) < 2+length {
				return
			}
			value := rest[2 : 2+length]
			rest = rest[2+length:]
			if !yield(code, value) {
				return
			}
		}
	}
}

// What can be wrong with an answer.
var (
	errNoReply  = errors.New("it is no DHCP reply")
	errOther    = errors.New("it is for another MAC")
	errAddress  = errors.New("it gives another address than is reserved")
	errServer   = errors.New("its server identifier is not the server's address")
	errNext     = errors.New("its next-server is not the server's address")
	errBootFile = errors.New("its boot file is not the one that this stage is to load")
)

// answer is what was read of one packet.
type answer struct {
	kind dhcpv4.MessageType
	xid  uint32
}

// readAnswer returns the message type and the transaction ID.
func readAnswer(packet []byte) (answer, error) {
	if len(packet) < atOptions || packet[0] != 2 || !bytes.Equal(packet[atCookie:atOptions], cookie) {
		return answer{}, errNoReply
	}
	a := answer{xid: binary.BigEndian.Uint32(packet[atXID:])}
	for code, value := range walk(packet) {
		if code == 53 && len(value) == 1 {
			a.kind = dhcpv4.MessageType(value[0])
		}
	}
	return a, nil
}

var cookie = []byte{99, 130, 83, 99}

// verify says what is wrong with an OFFER or ACK for the machine. script is how the URL begins that iPXE is told.
func verify(packet []byte, m fleet.Machine, address netip.Addr, stage Stage, script string) error {
	mac, yiaddr, server := m.MAC(), address.As4(), fleet.Server.As4()
	file := packet[atFile : atFile+fileSize]
	if end := bytes.IndexByte(file, 0); end >= 0 {
		file = file[:end]
	}
	identified := false
	for code, value := range walk(packet) {
		switch code {
		case 54:
			identified = bytes.Equal(value, server[:])
		case 67:
			file = bytes.TrimRight(value, "\x00")
		}
	}
	switch {
	case !bytes.Equal(packet[atChaddr:atChaddr+6], mac[:]):
		return errOther
	case !bytes.Equal(packet[atYiaddr:atYiaddr+4], yiaddr[:]):
		return errAddress
	case !identified:
		return errServer
	case stage == Firmware && !bytes.Equal(packet[atSiaddr:atSiaddr+4], server[:]):
		return errNext
	case stage == Firmware && string(file) != fleet.BootFile, stage == IPXE && !bytes.HasPrefix(file, []byte(script)):
		return errBootFile
	}
	return nil
}
