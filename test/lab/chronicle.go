package lab

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// Moment is one line of a chronicle: something that was done or seen, or what machines are told from now on.
type Moment struct {
	At   time.Time
	What string
	// NextServer is what machines are told, "" for a moment that is not about that. By is who does or says it.
	NextServer, By string
}

// Chronicle is what happened, in order.
type Chronicle struct {
	tell func(Moment)

	mu      sync.Mutex
	moments []Moment
}

// add notes a moment and tells it to whoever watches.
func (c *Chronicle) add(m Moment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moments = append(c.moments, m)
	if c.tell != nil {
		c.tell(m)
	}
}

// note notes what by does at this moment.
func (c *Chronicle) note(by, format string, args ...any) {
	c.add(Moment{At: time.Now(), What: fmt.Sprintf(format, args...), By: by})
}

// Moments returns what happened so far, the oldest first.
func (c *Chronicle) Moments() []Moment {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := slices.Clone(c.moments)
	slices.SortStableFunc(all, func(a, b Moment) int { return a.At.Compare(b.At) })
	return all
}

// header are the columns of a chronicle.
var header = [...]string{"TIME", "EVENT", "NEXT-SERVER", "BY"}

// rows are the cells of a chronicle, with the times in seconds since the first moment.
func (c *Chronicle) rows() [][len(header)]string {
	moments := c.Moments()
	rows := make([][len(header)]string, len(moments))
	for i, m := range moments {
		rows[i] = [...]string{fmt.Sprintf("%.3f", m.At.Sub(moments[0].At).Seconds()), m.What, cmp.Or(m.NextServer, "-"), m.By}
	}
	return rows
}

// Print writes the chronicle as a table for a terminal.
func (c *Chronicle) Print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(header[:], "\t"))
	for _, row := range c.rows() {
		fmt.Fprintln(table, strings.Join(row[:], "\t"))
	}
	return table.Flush()
}

// Markdown writes the chronicle as a table of a document.
func (c *Chronicle) Markdown(w io.Writer) error {
	var text strings.Builder
	fmt.Fprintln(&text, "| Seconds | Event | Next-server | By |\n|--:|---|---|---|")
	for _, row := range c.rows() {
		fmt.Fprintf(&text, "| %s |\n", strings.Join(row[:], " | "))
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// answers makes a moment of a change of what a server answers.
func answers(change Change, by string) Moment {
	m := Moment{At: change.At, By: by, NextServer: addrOr(change.NextServer, "none")}
	switch {
	case change.Silent:
		m.What, m.NextServer = "the last answer to DHCP for a while", "silent"
	case change.NextServer.IsValid():
		m.What = "answers DHCP with this next-server from now on"
	default:
		m.What = "answers DHCP with nothing to boot from now on"
	}
	return m
}

func addrOr(addr netip.Addr, otherwise string) string {
	if addr.IsValid() {
		return addr.String()
	}
	return otherwise
}
