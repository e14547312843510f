package tink

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/internal/reservation"
)

// maxExtra is how many options the annotation may hold: a message holds no more than a few hundred bytes of options. More
// lines than maxExtraLines are not looked at, so that nothing makes more problems than a person reads.
const (
	maxExtra      = 16
	maxExtraLines = 2 * maxExtra
)

// extra reads the annotation with more options, one a line, in the order in which they are written.
func (c *check) extra(written string) []reservation.Option {
	const field = "metadata.annotations[" + v1alpha1.AnnotationDHCPOptions + "]"
	var options []reservation.Option
	lines := 0
	for line := range strings.Lines(written) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if lines++; lines > maxExtraLines {
			c.leaveOut(ReasonInvalidDHCPOption, field, line, fmt.Sprintf("comes after the %d lines that are read: shorten the list", maxExtraLines))
			break
		}
		option, complaint := parseExtra(line)
		switch {
		case complaint != "":
		case slices.ContainsFunc(options, func(o reservation.Option) bool { return o.Code == option.Code }):
			complaint = "stands twice: leave one out"
		case len(options) == maxExtra:
			complaint = fmt.Sprintf("is more than the %d options that one machine may have: shorten the list", maxExtra)
		}
		if complaint != "" {
			c.leaveOut(ReasonInvalidDHCPOption, field, line, complaint)
			continue
		}
		options = append(options, option)
	}
	return options
}

// parseExtra reads one line, or says what is wrong with it.
func parseExtra(line string) (o reservation.Option, complaint string) {
	code, rest, _ := strings.Cut(line, ":")
	kind, value, typed := strings.Cut(rest, ":")
	number, err := strconv.ParseUint(code, 10, 8)
	if err != nil || !typed || number == 0 || number == 255 {
		return o, "is not CODE:TYPE:VALUE with a code from 1 to 254: write it like 150:ip:192.168.2.5"
	}
	if remedy := setElsewhere(uint8(number)); remedy != "" {
		return o, "is an option that Tugboot sets itself: " + remedy
	}
	o.Code = uint8(number)
	o.Value, complaint = encode(kind, value)
	return o, complaint
}

// encode makes the bytes of an option's value, or says what is wrong with it.
func encode(kind, value string) (b []byte, complaint string) {
	switch kind {
	case "ip":
		for s := range strings.SplitSeq(value, ",") {
			addr, err := netip.ParseAddr(strings.TrimSpace(s))
			if err != nil || !addr.Is4() {
				return nil, "holds what is not an IPv4 address: write addresses between commas"
			}
			b = append(b, addr.AsSlice()...)
		}
	case "text":
		if !isASCII(value) {
			return nil, "holds characters that cannot be sent: write printable ASCII"
		}
		b = []byte(value)
	case "uint8", "uint16", "uint32":
		bits, err := strconv.Atoi(strings.TrimPrefix(kind, "uint"))
		if err != nil {
			return nil, "has no number of bits"
		}
		n, err := strconv.ParseUint(value, 10, bits)
		if err != nil {
			return nil, "is not a " + kind + ": write a number without a sign that fits"
		}
		b = binary.BigEndian.AppendUint32(nil, uint32(n))[4-bits/8:]
	case "hex":
		var err error
		if b, err = hex.DecodeString(value); err != nil {
			return nil, "is not hexadecimal: write two digits a byte, with nothing between them"
		}
	default:
		return nil, "has no such type: write ip, text, uint8, uint16, uint32 or hex"
	}
	if len(b) == 0 || len(b) > maxOption {
		return nil, fmt.Sprintf("is %d bytes long, an option has 1 to %d: correct it", len(b), maxOption)
	}
	return b, ""
}

// setElsewhere says where an option is set that Tugboot makes itself, "" for all others.
func setElsewhere(code uint8) string {
	field := map[uint8]string{
		1: "dhcp.ip.netmask", 28: "dhcp.ip.netmask", 3: "dhcp.ip.gateway", 6: "dhcp.name_servers", 12: "dhcp.hostname",
		15: "dhcp.domain_name", 119: "dhcp.domain_name", 42: "dhcp.time_servers", 51: "dhcp.lease_time", 58: "dhcp.lease_time",
		59: "dhcp.lease_time", 66: "dhcp.tftp_server_name", 67: "dhcp.boot_file_name", 121: "dhcp.classless_static_routes",
	}[code]
	switch {
	case field != "":
		return "write it as " + field
	case code == 43 || code == 60 || code == 175:
		return "it depends on how the machine boots: leave it out"
	case slices.Contains([]uint8{50, 52, 53, 54, 55, 56, 57, 61, 77, 80, 81, 82, 90, 93, 94, 97, 118}, code):
		return "it belongs to the protocol itself: leave it out"
	}
	return ""
}
