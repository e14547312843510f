package hardwarecsv

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/tugboot/tugboot/internal/reservation"
)

// seen remembers what the rows hold, to find what may be there only once: for each value the line that has it.
type seen struct {
	hostnames map[string]line
	macs      map[reservation.MAC]line
	addresses map[address]line
	bmcs      map[netip.Addr]line
	taken     []claim
	again     []Problem
}

// line and address are small, because a file may have a million of each.
type (
	line    int32
	address [4]byte
)

// claim is the address of a machine.
type claim struct {
	line    line
	address address
	hidden  bool // it is not shown, see cells.show
}

func newSeen() *seen {
	return &seen{hostnames: map[string]line{}, macs: map[reservation.MAC]line{}, addresses: map[address]line{}, bmcs: map[netip.Addr]line{}}
}

// add takes in a row, also one with problems: two wrong things are reported together.
func (s *seen) add(c *cells, row Row) {
	if row.Hostname != "" {
		// The name by itself: what it was cut from is the whole row.
		if first, again := once(s.hostnames, strings.Clone(row.Hostname), c); again {
			s.refuse(c, columnHostname, row.Hostname, first)
		}
	}
	if !row.MAC.IsZero() {
		if first, again := once(s.macs, row.MAC, c); again {
			s.refuse(c, columnMAC, row.MAC.String(), first)
		}
	}
	if row.Address.IsValid() {
		addr := row.Address.Addr().As4()
		if first, again := once(s.addresses, addr, c); again {
			s.refuse(c, columnAddress, shown(addr), first)
		}
		s.taken = append(s.taken, claim{line: line(row.Line), address: addr, hidden: c.hides(columnAddress, "") != ""})
	}
	if row.BMC != nil && row.BMC.Address.IsValid() {
		addr := row.BMC.Address
		if first, again := once(s.bmcs, addr, c); again {
			s.refuse(c, columnBMCAddress, addr.String(), first)
		}
	}
}

// once notes that a row has a value, or returns the line of the row that had it before.
func once[K comparable](lines map[K]line, value K, c *cells) (first line, again bool) {
	if first, again = lines[value]; !again {
		lines[value] = line(c.line)
	}
	return first, again
}

func (s *seen) refuse(c *cells, column, value string, first line) {
	s.again = append(s.again, Problem{c.line, column,
		fmt.Sprintf("%s is already that of line %d: every machine needs its own", c.show(column, value), first)})
}

func shown(a address) string { return netip.AddrFrom4(a).String() }

// check returns what shows only when all rows are known.
func (s *seen) check(o Options) []Problem {
	problems := s.again
	for _, t := range s.taken {
		refuse := func(text string) {
			problems = append(problems, Problem{int(t.line), columnAddress, t.shown() + text})
		}
		addr := netip.AddrFrom4(t.address)
		if first, known := s.bmcs[addr]; known {
			refuse(fmt.Sprintf(" is the bmc_ip of line %d: a machine and a BMC need addresses of their own", first))
		}
		for _, stack := range []struct {
			name string
			addr netip.Addr
		}{{"tinkerbellIP", o.TinkerbellIP}, {"bootstrap IP", o.BootstrapIP}} {
			if addr == stack.addr.Unmap() {
				refuse(" is the " + stack.name + ": give the machine another")
			}
		}
	}
	return problems
}

func (c claim) shown() string {
	if c.hidden {
		return rightOfPassword
	}
	return quote(shown(c.address))
}
