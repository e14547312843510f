package dhcp4

import (
	"encoding/binary"
	"net/netip"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/internal/boot"
)

// read fills the request from its options.
func (q *Request) read(options dhcpv4.Options) error {
	for _, o := range []struct {
		code uint8
		to   *netip.Addr
	}{
		{optRequestedAddress, &q.RequestedAddress},
		{optServerIdentifier, &q.ServerIdentifier},
		{optSubnetSelection, &q.SubnetSelection},
	} {
		value, sent := options[o.code]
		if !sent {
			continue
		}
		if len(value) != 4 {
			return &ParseError{Reason: ReasonMalformed, Type: q.Type, Detail: wrongLength(o.code, len(value), 4)}
		}
		*o.to = address(value)
	}
	if value := options[optMaxMessageSize]; len(value) == 2 {
		q.MaxMessageSize = binary.BigEndian.Uint16(value)
	}
	q.ParameterList = options[optParameterList]
	q.VendorClass = string(options[optVendorClass])
	q.ClientIdentifier = options[optClientIdentifier]
	q.UserClass = string(options[optUserClass])
	for archs := options[optClientArch]; len(archs) >= 2; archs = archs[2:] {
		q.Archs = append(q.Archs, boot.Arch(binary.BigEndian.Uint16(archs)))
	}
	_, q.NetworkInterface = options[optNetworkInterface]
	q.MachineIdentifier = options[optMachineIdentifier]
	q.IPXE = ipxeInfo(options[optIPXE])
	q.RelayAgent = options[optRelayAgent]
	if q.GIAddr.IsValid() {
		q.Relay = relay(q.RelayAgent)
	}
	return nil
}

// ipxeInfo reads option 175, which holds options of its own. One that is garbled says nothing.
func ipxeInfo(value []byte) boot.IPXEInfo {
	inner := dhcpv4.Options{}
	if err := inner.FromBytes(value); err != nil {
		return boot.IPXEInfo{}
	}
	var i boot.IPXEInfo
	if http := inner[ipxeHTTP]; len(http) == 1 {
		i.HTTP = http[0] != 0
	}
	if version := inner[ipxeVersion]; len(version) == 3 {
		i.Version = [3]byte(version)
	}
	return i
}

// relay reads the sub-options of option 82. One that is garbled says nothing; it is echoed all the same.
func relay(value []byte) Relay {
	var r Relay
	for len(value) >= 2 {
		code, n := value[0], int(value[1])
		if n > len(value)-2 {
			return Relay{}
		}
		body := value[2 : 2+n]
		switch {
		case code == relayLinkSelection && n == 4:
			r.LinkSelection = address(body)
		case code == relayServerIdentifier && n == 4:
			r.ServerIdentifier = address(body)
		case code == relaySourcePort && n == 0:
			r.SourcePort = true
		}
		value = value[2+n:]
	}
	return r
}
