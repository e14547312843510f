package offers

import (
	"encoding/binary"
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/iana"

	"github.com/tugboot/tugboot/internal/reservation"
)

// The options that are sent and read, by number (RFC 2132, 3004, 4578; 175 is iPXE's).
const (
	optRequested      = 50
	optOverload       = 52
	optServerID       = 54
	optParameters     = 55
	optMaxMessageSize = 57
	optVendorClass    = 60
	optClientID       = 61
	optServerName     = 66
	optBootFile       = 67
	optUserClass      = 77
	optArch           = 93
	optUNDI           = 94
	optMachineID      = 97
	optIPXE           = 175
)

// The sub-options of option 175.
const (
	ipxeHTTP    = 19
	ipxeBus     = 177
	ipxeVersion = 235
)

// Parameter request lists, as EDK2 sends them for PXE and for HTTP boot, and iPXE.
var (
	listPXE = []byte{1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59,
		60, 66, 67, 97, 128, 129, 130, 131, 132, 133, 134, 135}
	listHTTP = []byte{1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59,
		60, 235, 67, 97}
	listIPXE = []byte{1, 3, 6, 7, 12, 15, 17, 26, 42, 43, 60, 66, 67, 119, 128, 129, 130, 131, 132, 133, 134, 135, 175, 203}
)

// maxMessageSize is option 57 of EDK2 and of iPXE, in bytes.
const maxMessageSize = 1472

// bus is option 175's description of the network card: PCI, and the numbers of a virtio card.
var bus = []byte{1, 0x1a, 0xf4, 0x10, 0x00}

// question is one client that asks.
type question struct {
	mac  reservation.MAC
	kind Kind
	xid  dhcpv4.TransactionID
	// giaddr is the relay agent's address; the zero Addr without one.
	giaddr netip.Addr
}

// discover returns the DISCOVER, sent this long after the first.
func (q *question) discover(elapsed time.Duration) []byte {
	return q.message(dhcpv4.MessageTypeDiscover, elapsed, nil).ToBytes()
}

// request returns the REQUEST that accepts o (RFC 2131 section 4.3.2, SELECTING).
func (q *question) request(o Offer, elapsed time.Duration) []byte {
	address, server := o.Address.As4(), o.ServerID.As4()
	return q.message(dhcpv4.MessageTypeRequest, elapsed, dhcpv4.Options{optRequested: address[:], optServerID: server[:]}).ToBytes()
}

func (q *question) message(t dhcpv4.MessageType, elapsed time.Duration, more dhcpv4.Options) *dhcpv4.DHCPv4 {
	d := &dhcpv4.DHCPv4{
		OpCode: dhcpv4.OpcodeBootRequest, HWType: iana.HWTypeEthernet, ClientHWAddr: q.mac[:], TransactionID: q.xid,
		NumSeconds: uint16(elapsed / time.Second), Options: q.kind.options(q.mac),
		ClientIPAddr: net.IPv4zero, YourIPAddr: net.IPv4zero, ServerIPAddr: net.IPv4zero, GatewayIPAddr: net.IPv4zero,
	}
	d.SetBroadcast()
	if q.giaddr.IsValid() {
		d.GatewayIPAddr, d.HopCount = q.giaddr.AsSlice(), 1
	}
	d.UpdateOption(dhcpv4.OptMessageType(t))
	for code, value := range more {
		d.Options[code] = value
	}
	return d
}

// options returns what a client of this kind says of itself.
func (k Kind) options(m reservation.MAC) dhcpv4.Options {
	o := dhcpv4.Options{
		optMaxMessageSize: binary.BigEndian.AppendUint16(nil, maxMessageSize),
		optVendorClass:    []byte(k.vendorClass()),
		optArch:           binary.BigEndian.AppendUint16(nil, uint16(k.Arch)),
		optUNDI:           k.undi(),
		optMachineID:      append(make([]byte, 11), m[:]...), // type 0 and a UUID that ends in the MAC
	}
	switch k.Stage {
	case StageFirmware:
		o[optParameters] = listPXE
	case StageHTTP:
		o[optParameters] = listHTTP
	case StageIPXE, StageOldIPXE, StageTinkerbell:
		o[optParameters] = listIPXE
		o[optUserClass] = []byte(k.userClass())
		o[optClientID] = append([]byte{byte(iana.HWTypeEthernet)}, m[:]...)
		features := dhcpv4.Options{ipxeBus: bus, ipxeVersion: k.iPXE.Version[:]}
		if k.iPXE.HTTP {
			features[ipxeHTTP] = []byte{1}
		}
		o[optIPXE] = features.ToBytes()
	}
	return o
}
