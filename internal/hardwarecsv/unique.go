package hardwarecsv

import (
	"fmt"
	"net/netip"
)

// seen remembers what the rows hold, to find what may be there only once.
type seen struct {
	lines map[string]map[string]int // by column and value, the line that has it
	bmcs  map[netip.Addr]int        // the line of each BMC's address
	taken []claim
	again []Problem
}

// claim is the address of a machine.
type claim struct {
	line  int
	addr  netip.Addr
	shown string
}

func newSeen() *seen {
	return &seen{lines: map[string]map[string]int{}, bmcs: map[netip.Addr]int{}}
}

// add takes in a row, also one with problems: two wrong things are reported together.
func (s *seen) add(c *cells, row Row) {
	s.once(c, columnHostname, row.Hostname)
	if !row.MAC.IsZero() {
		s.once(c, columnMAC, row.MAC.String())
	}
	if row.Address.IsValid() {
		addr := row.Address.Addr()
		s.once(c, columnAddress, addr.String())
		s.taken = append(s.taken, claim{line: row.Line, addr: addr, shown: c.show(columnAddress, addr.String())})
	}
	if row.BMC != nil && row.BMC.Address.IsValid() {
		addr := row.BMC.Address
		s.once(c, columnBMCAddress, addr.String())
		if _, known := s.bmcs[addr]; !known {
			s.bmcs[addr] = row.Line
		}
	}
}

func (s *seen) once(c *cells, column, value string) {
	if value == "" {
		return
	}
	if s.lines[column] == nil {
		s.lines[column] = map[string]int{}
	}
	if first, known := s.lines[column][value]; known {
		s.again = append(s.again, Problem{c.line, column,
			fmt.Sprintf("%s is already that of line %d: every machine needs its own", c.show(column, value), first)})
		return
	}
	s.lines[column][value] = c.line
}

// check adds to r what shows only when all rows are known.
func (s *seen) check(r *Result, o Options) {
	r.Problems = append(r.Problems, s.again...)
	for _, t := range s.taken {
		if line, known := s.bmcs[t.addr]; known {
			r.Problems = append(r.Problems, Problem{t.line, columnAddress,
				fmt.Sprintf("%s is the bmc_ip of line %d: a machine and a BMC need addresses of their own", t.shown, line)})
		}
		for _, stack := range []struct {
			name string
			addr netip.Addr
		}{{"tinkerbellIP", o.TinkerbellIP}, {"bootstrap IP", o.BootstrapIP}} {
			if t.addr == stack.addr.Unmap() {
				r.Problems = append(r.Problems, Problem{t.line, columnAddress, t.shown + " is the " + stack.name + ": give the machine another"})
			}
		}
	}
}
