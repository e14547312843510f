package dhcpconf

import (
	"fmt"
	"strings"
)

// Position is a place in a file. Line and Column count from 1, columns in bytes; zero means the file as a whole.
type Position struct {
	File         string
	Line, Column int
}

// String writes the place as editors jump to it: file:line:column, or the file alone.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Compare orders places by file, line and column.
func (p Position) Compare(q Position) int {
	if c := strings.Compare(p.File, q.File); c != 0 {
		return c
	}
	if p.Line != q.Line {
		return p.Line - q.Line
	}
	return p.Column - q.Column
}

// Kind says what a Problem is about.
type Kind uint8

// The kinds of problems.
const (
	// Syntax: the daemon cannot read the text either.
	Syntax Kind = iota
	// Include: a file that the configuration names could not be read, so nothing is known of it.
	Include
	// NotCarried: a setting of a reservation that has no place in Hardware.
	NotCarried
	// LeftOut: a reservation that as a whole has no place in Hardware.
	LeftOut
)

// Problem is one thing to say about a configuration, with the value, quoted, and the remedy in Text.
type Problem struct {
	Pos  Position
	Kind Kind
	Text string
}

// String is one line: place and text.
func (p Problem) String() string { return p.Pos.String() + ": " + p.Text }
