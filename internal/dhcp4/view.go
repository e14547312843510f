package dhcp4

// slots is the number of options that are looked at.
const slots = 15

// slot is where the value of an option is kept; false for one that nobody looks at.
func slot(code uint8) (int, bool) {
	switch code {
	case optRequestedAddress:
		return 0, true
	case optOverload:
		return 1, true
	case optMessageType:
		return 2, true
	case optServerIdentifier:
		return 3, true
	case optParameterList:
		return 4, true
	case optMaxMessageSize:
		return 5, true
	case optVendorClass:
		return 6, true
	case optClientIdentifier:
		return 7, true
	case optUserClass:
		return 8, true
	case optRelayAgent:
		return 9, true
	case optClientArch:
		return 10, true
	case optNetworkInterface:
		return 11, true
	case optMachineIdentifier:
		return 12, true
	case optSubnetSelection:
		return 13, true
	case optIPXE:
		return 14, true
	}
	return 0, false
}

// options are those of one packet. The values lie in the packet, but for those that came in pieces.
type options struct {
	values  [slots][]byte
	present uint16 // a bit for each slot
	joined  []byte // where pieces are put together
}

// value returns the value of an option, nil when it is empty or was not sent.
func (o *options) value(code uint8) []byte {
	n, looked := slot(code)
	if !looked {
		return nil
	}
	return o.values[n]
}

// sent reports whether the packet has the option.
func (o *options) sent(code uint8) bool {
	n, looked := slot(code)
	return looked && o.present&(1<<n) != 0
}

// read reads the options field and the fields that option 52 adds to it.
func (o *options) read(packet []byte) error {
	if !o.add(packet[offOptions:]) {
		return refuse(ReasonMalformed, "an option runs past the end of the message")
	}
	if !o.sent(optOverload) {
		return nil
	}
	overload := o.value(optOverload)
	if len(overload) != 1 || overload[0] < 1 || overload[0] > 3 {
		return refuse(ReasonMalformed, "option 52 is none of 1, 2 and 3")
	}
	which := overload[0]
	if which&1 != 0 && !o.add(packet[offFile:offCookie]) {
		return refuse(ReasonMalformed, "an option runs past the end of the file field")
	}
	if which&2 != 0 && !o.add(packet[offSname:offFile]) {
		return refuse(ReasonMalformed, "an option runs past the end of the sname field")
	}
	return nil
}

// add reads one field of options. It returns false when one runs past its end.
func (o *options) add(field []byte) bool {
	for {
		code, value, rest, ok := nextOption(field)
		if !ok || code == optEnd {
			return ok
		}
		field = rest
		n, looked := slot(code)
		if !looked {
			continue
		}
		o.present |= 1 << n
		switch before := o.values[n]; {
		case len(value) == 0:
		case len(before) == 0:
			o.values[n] = value
		default:
			start := len(o.joined)
			o.joined = append(append(o.joined, before...), value...)
			o.values[n] = o.joined[start:len(o.joined):len(o.joined)]
		}
	}
}

// nextOption takes the first option off a field, padding before it included. The code is optEnd where there is no more. It
// returns false for an option that runs past the end of the field.
func nextOption(field []byte) (code uint8, value, rest []byte, ok bool) {
	for len(field) > 0 && field[0] == optPad {
		field = field[1:]
	}
	if len(field) == 0 || field[0] == optEnd {
		return optEnd, nil, nil, true
	}
	if len(field) < 2 || len(field)-2 < int(field[1]) {
		return field[0], nil, nil, false
	}
	n := 2 + int(field[1])
	return field[0], field[2:n:n], field[n:], true
}
