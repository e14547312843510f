package hardwarecsv

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/tugboot/tugboot/internal/reservation"
)

// MaxSize bounds a file, in bytes; it is room for several hundred thousand machines.
const MaxSize = 64 << 20

// Options are addresses that no machine of the file may have. The zero Addr means that an address is not known.
type Options struct {
	// TinkerbellIP is where the Tinkerbell stack of the management cluster is reached.
	TinkerbellIP netip.Addr
	// BootstrapIP is where the stack of the bootstrap cluster is reached.
	BootstrapIP netip.Addr
}

// Result is everything that a file says.
type Result struct {
	// Rows are the machines nothing is wrong with, in the order of the file.
	Rows []Row
	// Problems are all that is wrong, in the order of lines; with any, the file should be refused.
	Problems []Problem
	// Notes are values that were written differently from how they stand in the file.
	Notes []Problem
}

// Parse reads a hardware.csv. It reports the problems of all rows at once, keeps nothing of file, and does not panic.
func Parse(file []byte, o Options) Result {
	var r Result
	r.Problems, r.Notes = Read(file, o, func(row Row) { r.Rows = append(r.Rows, row) })
	r.dropRefused()
	return r
}

// Read does what Parse does, and hands the rows over one by one, so that a caller who makes something smaller of them does
// not hold them all. A row may come before it is known that something is wrong with it: then a problem has its line.
func Read(file []byte, o Options, take func(Row)) (problems, notes []Problem) {
	return Reread(file, o, take, nil)
}

// Known is a row as it stands in the file, looked at for as much as tells machines apart.
type Known struct {
	Line     int
	Hostname string
	MAC      reservation.MAC
	// Text is the whole row. What it means depends on Header, the whole first line. Both are parts of the file.
	Header, Text []byte
}

// Reread does what Read does, but asks before each row whether the caller has taken it before, with the same header, and
// nothing was wrong with it then: its values are not checked again, only that no other row has the same.
func Reread(file []byte, o Options, take func(Row), taken func(Known) bool) (problems, notes []Problem) {
	if len(file) > MaxSize {
		return []Problem{{1, wholeFile, fmt.Sprintf("is larger than %d MiB: divide it", MaxSize>>20)}}, nil
	}
	text, problem := asText(file)
	if problem != nil {
		return []Problem{*problem}, nil
	}
	reader := csv.NewReader(bytes.NewReader(text))
	reader.FieldsPerRecord = -1 // rows of another length are reported here, all of them
	reader.ReuseRecord = true
	p := parser{text: text, seen: newSeen(), take: take, taken: taken}
	p.read(reader)
	p.refuse(p.seen.check(o)...)
	byLine(p.problems)
	return p.problems, p.notes
}

type parser struct {
	text, header    []byte
	columns         map[string]int
	width           int
	seen            *seen
	before          repeated
	take            func(Row)
	taken           func(Known) bool
	problems, notes []Problem
}

// read takes one record after the other. After an error encoding/csv goes on with the line that follows.
func (p *parser) read(reader *csv.Reader) {
	for {
		begin := reader.InputOffset()
		record, err := reader.Read()
		end := reader.InputOffset()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			p.refuse(syntaxProblem(err))
			if p.columns == nil {
				return
			}
			continue
		}
		line, _ := reader.FieldPos(0) // messages name the column and not its place in the line
		if p.columns == nil {
			columns, problems := header(line, record)
			p.refuse(problems...)
			if len(problems) > 0 {
				return
			}
			p.columns, p.width, p.header = columns, len(record), p.text[begin:end]
			continue
		}
		p.row(&cells{line: line, columns: p.columns, record: record, before: &p.before}, p.text[begin:end])
	}
}

func (p *parser) refuse(problems ...Problem) {
	p.problems = append(p.problems, problems...)
}

func (p *parser) row(c *cells, text []byte) {
	if p.taken != nil && len(c.record) == p.width && p.again(c, text) {
		return
	}
	switch {
	case c.empty():
		c.refuse(wholeRow, "has nothing in it: remove the line")
	case len(c.record) != p.width:
		c.refuse(wholeRow, fmt.Sprintf("has %d cells where the header has %d columns: put values with commas or quotes in double quotes",
			len(c.record), p.width))
	default:
		row := c.parse()
		p.seen.add(c, row)
		if len(c.problems) == 0 {
			p.take(row)
		}
		p.notes = append(p.notes, c.notes...)
	}
	p.refuse(c.problems...)
}

// again reports whether the caller has taken the row before.
func (p *parser) again(c *cells, text []byte) bool {
	key := c.key()
	known := Known{Line: c.line, Hostname: key.Hostname, MAC: key.MAC, Header: p.header, Text: text}
	if known.MAC.IsZero() || !p.taken(known) {
		return false
	}
	p.seen.add(c, key)
	return true
}

// dropRefused takes the rows away that were found wrong only when all rows were known.
func (r *Result) dropRefused() {
	refused := map[int]bool{}
	for _, p := range r.Problems {
		refused[p.Line] = true
	}
	kept := r.Rows[:0]
	for _, row := range r.Rows {
		if !refused[row.Line] {
			kept = append(kept, row)
		}
	}
	r.Rows = kept
}

func syntaxProblem(err error) Problem {
	var syntax *csv.ParseError
	if !errors.As(err, &syntax) {
		return Problem{1, wholeFile, "cannot be read: " + err.Error()}
	}
	// The start of the record, because that is where a quote that is never closed stands.
	return Problem{syntax.StartLine, wholeRow, fmt.Sprintf("is not CSV, line %d character %d: %v: put the whole value in double quotes and write a quote in it twice",
		syntax.Line, syntax.Column, syntax.Err)}
}
