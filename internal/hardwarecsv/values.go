package hardwarecsv

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tugboot/tugboot/internal/reservation"
)

// parse reads a whole row and reports everything that is wrong with it.
func (c *cells) parse() Row {
	row := Row{Line: c.line, Hostname: c.hostname(), MAC: c.mac()}
	row.Address, row.Gateway = c.addressing()
	row.NameServers = repeats(c, &c.before.nameServers, columnNameServers, c.nameServers)
	row.Disk = repeats(c, &c.before.disk, columnDisk, c.disk)
	row.Labels = repeats(c, &c.before.labels, columnLabels, c.labels)
	row.VLAN = c.vlan()
	row.BMC = c.bmc()
	if row.BMC != nil && len(secretName(row.Hostname)) > validation.DNS1123SubdomainMaxLength {
		c.refuseValue(columnHostname, row.Hostname, fmt.Sprintf("is too long for a machine with a BMC, whose Secret is named bmc-<hostname>-auth: write at most %d characters",
			validation.DNS1123SubdomainMaxLength-len(secretName(""))))
	}
	return row
}

func (c *cells) hostname() string {
	s := c.get(columnHostname)
	if s == "" {
		c.refuse(columnHostname, "is empty: write the machine's name, like eksa-wk01")
		return s
	}
	if len(validation.IsDNS1123Subdomain(s)) > 0 {
		c.refuseValue(columnHostname, s, "is not a host name that can name an object (RFC 1123): write lower-case letters, digits, - and ., beginning and ending with a letter or digit, 253 characters at most")
		return s
	}
	for label := range strings.SplitSeq(s, ".") {
		if len(label) > validation.DNS1123LabelMaxLength {
			c.refuseValue(columnHostname, s, "has more than 63 characters between two dots, which no host name may have: shorten it")
		}
	}
	return s
}

func (c *cells) mac() reservation.MAC {
	s := c.get(columnMAC)
	if s == "" {
		c.refuse(columnMAC, "is empty: write the network card's address, like 52:54:00:12:34:56")
		return reservation.MAC{}
	}
	m, err := reservation.ParseMAC(s)
	switch {
	case err != nil:
		c.refuseValue(columnMAC, s, "is not a 48-bit MAC address: write it like 52:54:00:12:34:56")
		return reservation.MAC{}
	case m.IsZero():
		c.refuseValue(columnMAC, s, "stands for no address: write the one of the network card")
	case m.IsGroup():
		c.refuseValue(columnMAC, s, "is a multicast or broadcast address, which no machine has: write the one of the network card")
	case m.String() != s:
		c.note(columnMAC, quote(s)+" is written as "+m.String()+", the only form that Hardware objects take")
	}
	return m
}

// maxNameServers is how many addresses fit into DHCP option 6 (RFC 2132 section 3.8).
const maxNameServers = 63

func (c *cells) nameServers(s string) []netip.Addr {
	if s == "" {
		c.refuse(columnNameServers, "is empty: write one address or more, separated by |, like 8.8.8.8|8.8.4.4")
		return nil
	}
	var servers []netip.Addr
	for part := range strings.SplitSeq(s, "|") {
		part = trim(part)
		addr, err := netip.ParseAddr(part)
		if err != nil || !isHost(addr) {
			c.refuseValue(columnNameServers, part, "is not the IPv4 address of a name server: write addresses separated by |, like 8.8.8.8|8.8.4.4")
			continue
		}
		servers = append(servers, addr)
	}
	if len(servers) > maxNameServers {
		c.refuse(columnNameServers, fmt.Sprintf("has %d addresses where DHCP can send %d: shorten the list", len(servers), maxNameServers))
	}
	return servers
}

// device is what EKS Anywhere takes for the path of a disk. It is never changed.
var device = regexp.MustCompile(`^(/dev/[\w-]+)+$`)

func (c *cells) disk(s string) string {
	switch {
	case s == "":
		c.refuse(columnDisk, "is empty: write the disk to install to, like /dev/sda")
	case !device.MatchString(s):
		c.refuseValue(columnDisk, s, "is not the path of a disk: write it like /dev/sda")
	}
	return s
}

func (c *cells) labels(s string) map[string]string {
	if s == "" {
		return nil
	}
	labels := map[string]string{}
	for part := range strings.SplitSeq(s, "|") {
		key, value, pair := strings.Cut(part, "=")
		key, value = trim(key), trim(value)
		_, twice := labels[key]
		switch {
		case !pair:
			c.refuseValue(columnLabels, part, "is not a label: write key=value, several separated by |")
		case twice:
			c.refuseValue(columnLabels, key, "is given twice: keep one")
		default:
			c.label(key, value)
			labels[key] = value
		}
	}
	return labels
}

func (c *cells) label(key, value string) {
	if len(content.IsLabelKey(key)) > 0 {
		c.refuseValue(columnLabels, key, "is not the key of a label: write at most 63 letters, digits, -, _ and ., beginning and ending with a letter or digit, with a domain name and / in front if need be")
	}
	if len(content.IsLabelValue(value)) > 0 {
		c.refuseValue(columnLabels, value, "is not the value of a label: write at most 63 letters, digits, -, _ and ., beginning and ending with a letter or digit, or nothing")
	}
}

func (c *cells) vlan() uint16 {
	s := c.get(columnVLAN)
	if s == "" {
		return 0
	}
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n < 1 || n > 4094 {
		c.refuseValue(columnVLAN, s, "is not a VLAN identifier: write 1 to 4094, or nothing for untagged")
		return 0
	}
	return uint16(n)
}

// bmc returns nil for a row without a BMC. Username and password keep the spaces around them, and are never shown.
func (c *cells) bmc() *BMC {
	address, username, password := c.get(columnBMCAddress), c.raw(columnBMCUsername), c.raw(columnBMCPassword)
	if address == "" && trim(username) == "" && trim(password) == "" {
		return nil
	}
	const remedy = "is empty while another bmc_ column is not: fill in bmc_ip, bmc_username and bmc_password, or none of them"
	b := &BMC{Username: username, Password: newPassword(password)}
	if address == "" {
		c.refuse(columnBMCAddress, remedy)
	} else {
		b.Address = c.bmcAddress(address)
	}
	for _, part := range []struct{ column, value string }{{columnBMCUsername, username}, {columnBMCPassword, password}} {
		switch {
		case trim(part.value) == "":
			c.refuse(part.column, remedy)
		case !printable(part.value):
			c.refuse(part.column, "holds a line break or another character that cannot be printed: is a double quote missing or unpaired?")
		}
	}
	return b
}

func (c *cells) bmcAddress(s string) netip.Addr {
	addr, err := netip.ParseAddr(s)
	addr = addr.Unmap()
	if err != nil || addr.Zone() != "" || addr.IsUnspecified() || addr.IsMulticast() || addr.IsLoopback() || addr.Is4() && !isHost(addr) {
		c.refuseValue(columnBMCAddress, s, "is not the IP address of a BMC: write it like 10.10.44.1")
		return netip.Addr{}
	}
	return addr
}
