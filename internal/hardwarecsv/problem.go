package hardwarecsv

import (
	"cmp"
	"fmt"
	"slices"
)

// Problem is one thing to say about a file, worded for the person who wrote it. It never holds a BMC's password.
type Problem struct {
	// Line counts from 1.
	Line int
	// Column is the name of the column. What concerns no single column has "file", "header" or "row" instead.
	Column string
	// Text names the value and the remedy.
	Text string
}

// The places of a problem that concerns no single column.
const (
	wholeFile = "file"
	wholeHead = "header"
	wholeRow  = "row"
)

// String writes the problem as "line: column: text". With the file's name and a colon in front, editors jump to it.
func (p Problem) String() string { return fmt.Sprintf("%d: %s: %s", p.Line, p.Column, p.Text) }

// byLine sorts problems by line, and leaves those of one line in the order in which they were found.
func byLine(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
}
