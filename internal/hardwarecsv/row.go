package hardwarecsv

import (
	"net/netip"
	"strings"

	"github.com/tugboot/tugboot/internal/reservation"
)

// Row is one machine of the file, every value of it checked.
type Row struct {
	// Line is where the row begins, counted from 1.
	Line int
	// Hostname is a lower-case RFC 1123 subdomain; it names the objects.
	Hostname string
	MAC      reservation.MAC
	// Address is an IPv4 address with the prefix length of its subnet, in which Gateway lies too.
	Address netip.Prefix
	Gateway netip.Addr
	// NameServers are IPv4 addresses in order of preference, at least one.
	NameServers []netip.Addr
	// Disk is the path of a block device.
	Disk string
	// Labels are the Hardware's labels; nil for none. Rows with equal labels or name servers may share them.
	Labels map[string]string
	// VLAN is 1..4094, or 0 for none.
	VLAN uint16
	// BMC is nil for a machine without one.
	BMC *BMC
}

// BMC is how a machine's baseboard management controller is reached.
type BMC struct {
	Address  netip.Addr
	Username string
	Password Password
}

// cells are the values of one row as they stand in the file, with what is wrong with them.
type cells struct {
	line     int
	columns  map[string]int
	record   []string
	before   *repeated
	problems []Problem
	notes    []Problem
}

// repeated is what as a rule stands in one row after the other, as it was in the last one: it is not read again.
type repeated struct {
	nameServers last[[]netip.Addr]
	disk        last[string]
	labels      last[map[string]string]
}

// last is a value that nothing was wrong with, and its text.
type last[T any] struct {
	text  string
	value T
	good  bool
}

// repeats returns the value of a column, from the row before where the text is the same.
func repeats[T any](c *cells, before *last[T], column string, read func(text string) T) T {
	text, problems := c.get(column), len(c.problems)
	if !before.good || before.text != text {
		value := read(text)
		*before = last[T]{text, value, len(c.problems) == problems}
		return value
	}
	return before.value
}

// get returns the value of a column without the spaces around it; "" where there is no such column.
func (c *cells) get(column string) string {
	i, ok := c.columns[column]
	if !ok {
		return ""
	}
	return trim(c.record[i])
}

// raw returns the value of a column with all its spaces.
func (c *cells) raw(column string) string {
	i, ok := c.columns[column]
	if !ok {
		return ""
	}
	return c.record[i]
}

func (c *cells) refuse(column, text string) {
	c.problems = append(c.problems, Problem{Line: c.line, Column: column, Text: text})
}

func (c *cells) note(column, text string) {
	c.notes = append(c.notes, Problem{Line: c.line, Column: column, Text: text})
}

// refuseValue reports a value, and shows it unless it may be a piece of a password.
func (c *cells) refuseValue(column, value, text string) {
	c.refuse(column, c.show(column, value)+" "+text)
}

// show quotes a value for a message, unless it may hold a piece of a password.
func (c *cells) show(column, value string) string {
	if hidden := c.hides(column, value); hidden != "" {
		return hidden
	}
	return quote(value)
}

// What stands in a message for a value that is not shown.
const (
	rightOfPassword = "the value (not shown, as it stands to the right of a password: put a password with a comma in double quotes)"
	strangeMarks    = "the value (not shown, as it holds a comma or a line break: is a double quote missing or unpaired?)"
)

// hides returns what to say in place of a value, or "" when it may be shown. A comma in a password that stands without
// double quotes moves the rest of it into the columns to the right; a double quote without its pair draws whole rows into
// one value.
func (c *cells) hides(column, value string) string {
	password, has := c.columns[columnBMCPassword]
	switch {
	case has && c.columns[column] > password && c.record[password] != "":
		return rightOfPassword
	case has && strings.ContainsAny(value, ",\r\n"):
		return strangeMarks
	}
	return ""
}

// key returns of a row, which may be wrong, what no other row may have.
func (c *cells) key() Row {
	row := Row{Line: c.line, Hostname: c.get(columnHostname)}
	row.MAC, _ = reservation.ParseMAC(c.get(columnMAC))
	if addr, err := netip.ParseAddr(c.get(columnAddress)); err == nil && addr.Is4() {
		row.Address = netip.PrefixFrom(addr, addr.BitLen())
	}
	if addr, err := netip.ParseAddr(c.get(columnBMCAddress)); err == nil {
		row.BMC = &BMC{Address: addr.Unmap()}
	}
	return row
}

// empty reports whether no cell of the row holds anything.
func (c *cells) empty() bool {
	for _, cell := range c.record {
		if trim(cell) != "" {
			return false
		}
	}
	return true
}
