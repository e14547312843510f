package dhcp4

import (
	"encoding/binary"
	"net/netip"

	"github.com/tugboot/tugboot/internal/boot"
)

// read fills the request from its options.
func (q *Request) read() error {
	o := &q.options
	for _, a := range [...]struct {
		code uint8
		to   *netip.Addr
	}{
		{optRequestedAddress, &q.RequestedAddress},
		{optServerIdentifier, &q.ServerIdentifier},
		{optSubnetSelection, &q.SubnetSelection},
	} {
		if !o.sent(a.code) {
			continue
		}
		value := o.value(a.code)
		if len(value) != 4 {
			return &ParseError{Reason: ReasonMalformed, Type: q.Type, Detail: wrongLength(a.code, len(value), 4)}
		}
		*a.to = address(value)
	}
	if value := o.value(optMaxMessageSize); len(value) == 2 {
		q.MaxMessageSize = binary.BigEndian.Uint16(value)
	}
	q.ParameterList = o.value(optParameterList)
	q.VendorClass = o.value(optVendorClass)
	q.ClientIdentifier = o.value(optClientIdentifier)
	q.UserClass = word(o.value(optUserClass))
	for archs := o.value(optClientArch); len(archs) >= 2; archs = archs[2:] {
		q.Archs = append(q.Archs, boot.Arch(binary.BigEndian.Uint16(archs)))
	}
	q.NetworkInterface = o.sent(optNetworkInterface)
	q.MachineIdentifier = o.value(optMachineIdentifier)
	q.IPXE = ipxeInfo(o.value(optIPXE))
	q.RelayAgent = o.value(optRelayAgent)
	if q.GIAddr.IsValid() {
		q.Relay = relay(q.RelayAgent)
	}
	return nil
}

// word is b as a string, without new memory for what most clients say.
func word(b []byte) string {
	switch string(b) {
	case "":
		return ""
	case boot.UserClassIPXE:
		return boot.UserClassIPXE
	case boot.UserClassTinkerbell:
		return boot.UserClassTinkerbell
	}
	return string(b)
}

// ipxeInfo reads option 175, which holds options of its own. One that is garbled says nothing.
func ipxeInfo(value []byte) boot.IPXEInfo {
	var i boot.IPXEInfo
	var https, versions int // how many bytes of each there are in all
	for rest := value; ; {
		code, body, after, ok := nextOption(rest)
		switch {
		case !ok:
			return boot.IPXEInfo{}
		case code == optEnd:
			if https != 1 {
				i.HTTP = false
			}
			if versions != len(i.Version) {
				i.Version = [3]byte{}
			}
			return i
		case code == ipxeHTTP:
			https += len(body)
			i.HTTP = i.HTTP || len(body) > 0 && body[0] != 0
		case code == ipxeVersion:
			copy(i.Version[min(versions, len(i.Version)):], body)
			versions += len(body)
		}
		rest = after
	}
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
