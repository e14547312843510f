package kea

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/render/kea"
)

// part is what of a configuration is one cluster's.
type part struct {
	classes []class
	hosts   map[netip.Prefix][]host
}

// partOf is what is wanted.
func partOf(want render.Wanted) (part, error) {
	made, _, err := kea.Make(want)
	if err != nil {
		return part{}, err
	}
	p := part{hosts: map[netip.Prefix][]host{}}
	for _, c := range made.Classes {
		raw, err := encode(c)
		if err != nil {
			return part{}, err
		}
		p.classes = append(p.classes, class{c.Name, raw})
	}
	for _, n := range made.Networks {
		p.hosts[n.Prefix] = []host{}
		for _, r := range n.Reservations {
			raw, err := encode(r)
			if err != nil {
				return part{}, err
			}
			p.hosts[n.Prefix] = append(p.hosts[n.Prefix], host{MAC: r.MAC, Address: r.Address, Hostname: r.Hostname, Classes: r.Classes, raw: raw})
		}
	}
	return p, nil
}

func (p part) reservations() int {
	n := 0
	for _, all := range p.hosts {
		n += len(all)
	}
	return n
}

// prefixes are those of the subnets, sorted.
func (p part) prefixes() []netip.Prefix {
	return slices.SortedFunc(maps.Keys(p.hosts), func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
}

// part returns what is the cluster's.
func (c *config) part(cluster string) part {
	p := part{hosts: map[netip.Prefix][]host{}}
	owner := c.owners()
	for _, class := range c.classes {
		if owner(class.name, cluster) {
			p.classes = append(p.classes, class)
		}
	}
	for _, s := range c.subnets {
		for _, h := range s.hosts {
			if h.of(cluster) {
				p.hosts[s.prefix] = append(p.hosts[s.prefix], h)
			}
		}
	}
	return p
}

// of reports whether a reservation is the cluster's.
func (h host) of(cluster string) bool { return slices.Contains(h.Classes, kea.Marker(cluster)) }

// owners returns whether a class is a cluster's. One cluster's name may begin another's: of the markers that stand there
// the longest that begins the class's name counts.
func (c *config) owners() func(name, cluster string) bool {
	var markers []string
	for _, class := range c.classes {
		if word, found, err := class.mark(); found && err == nil && class.name == kea.Marker(word.Mark.Cluster) {
			markers = append(markers, class.name)
		}
	}
	begins := func(name, marker string) bool { return name == marker || strings.HasPrefix(name, marker+"-") }
	return func(name, cluster string) bool {
		ours := kea.Marker(cluster)
		return begins(name, ours) && !slices.ContainsFunc(markers, func(m string) bool { return len(m) > len(ours) && begins(name, m) })
	}
}

// mark returns the word in a class.
func (c class) mark() (word render.Word, found bool, err error) {
	var members struct {
		Context object `json:"user-context"`
	}
	if err := json.Unmarshal(c.raw, &members); err != nil {
		return render.Word{}, false, fmt.Errorf("config-get: client class %+.100q: %w", c.name, err)
	}
	text, found := members.Context["tugboot-mark"]
	if found {
		err = word.UnmarshalJSON(text)
	}
	return word, found, err
}

// word is the mark of the part; the error is that of one that Tugboot cannot have written there.
func (p part) word(cluster string) (word render.Word, err error) {
	const remedy = "remove the class, and it is written again"
	for _, c := range p.classes {
		read, found, err := c.mark()
		isMarker := c.name == kea.Marker(cluster)
		switch {
		case err != nil:
			return render.Word{}, fmt.Errorf("client class %+.100q: %w: %s", c.name, err, remedy)
		case isMarker && !found:
			return render.Word{}, fmt.Errorf("client class %+.100q: no mark in its user-context: %s", c.name, remedy)
		case found && (!isMarker || read.Mark.Cluster != cluster):
			return render.Word{}, fmt.Errorf("client class %+.100q: it holds a mark of the cluster %s: %s", c.name, read.Mark.Cluster, remedy)
		case isMarker:
			word = read
		}
	}
	return word, nil
}

// replace puts p in the place of what is the cluster's. Its classes come where those of the cluster were, or before all
// others: Kea takes the first class that sets a field.
func (c *config) replace(cluster string, p part) error {
	owner := c.owners()
	ours := func(class class) bool { return owner(class.name, cluster) }
	at := max(0, slices.IndexFunc(c.classes, ours))
	c.classes = slices.Insert(slices.DeleteFunc(slices.Clone(c.classes), ours), at, p.classes...)
	for _, s := range c.subnets {
		s.hosts = append(slices.DeleteFunc(slices.Clone(s.hosts), func(h host) bool { return h.of(cluster) }), p.hosts[s.prefix]...)
	}
	for _, prefix := range p.prefixes() {
		if _, there := c.subnet(prefix); !there && len(p.hosts[prefix]) > 0 {
			return fmt.Errorf("subnet %s: it is not in Kea's configuration any more, and %d reservations stood there: add it again", prefix, len(p.hosts[prefix]))
		}
	}
	return nil
}
