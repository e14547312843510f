package lint

import (
	"net/netip"
	"strings"

	"github.com/tugboot/tugboot/internal/dhcpconf"
	"github.com/tugboot/tugboot/internal/render"
)

// ours tells the boot rules in files of Tugboot's from the operator's.
func (c *checker) ours() {
	cluster := c.clusters()
	for i := range c.boots {
		c.boots[i].ours = c.boots[i].ours || cluster[c.boots[i].pos.File] != ""
	}
}

// marks looks at the files that Tugboot wrote, which say so on their first lines.
func (c *checker) marks() {
	for _, name := range c.files.names {
		word, found, err := render.WordIn(c.files.texts[name], "#")
		at := dhcpconf.Position{File: name, Line: markLine(c.files.texts[name]), Column: 1}
		switch {
		case err != nil:
			c.add("mark-edited", at, "the mark of this file cannot be read: %v", err)
		case found && word.Says.Addr.IsValid():
			c.against(name, word.Says.Addr)
		}
	}
}

// markLine is the line that holds the mark, 1 when there is none.
func markLine(text string) int {
	i := strings.Index(text, render.MarkPrefix)
	return 1 + strings.Count(text[:max(i, 0)], "\n")
}

// against compares what stands in a file with the next-server of its mark.
func (c *checker) against(file string, says netip.Addr) {
	for _, b := range c.boots {
		for _, s := range []struct {
			pos  dhcpconf.Position
			addr string
		}{{b.pos, b.host().String()}, {b.nextPos, b.next}} {
			addr, err := netip.ParseAddr(s.addr)
			if err == nil && s.pos.File == file && addr != says {
				c.add("mark-edited", s.pos, "%s stands here, and the mark of the file says %s", addr, says)
			}
		}
	}
}

// clusters are those that wrote the files, by file.
func (c *checker) clusters() map[string]string {
	cluster := map[string]string{}
	for _, name := range c.files.names {
		if word, found, err := render.WordIn(c.files.texts[name], "#"); found && err == nil {
			cluster[name] = word.Mark.Cluster
		}
	}
	return cluster
}

// twoClusters looks for machines of two clusters in one subnet of one dnsmasq.
func (c *checker) twoClusters() {
	cluster := c.clusters()
	first := map[netip.Prefix]dhcpconf.Host{}
	reported := map[netip.Prefix]bool{}
	for _, h := range c.hosts {
		prefix, whose := h.Network.Prefix, cluster[h.Pos.File]
		if whose == "" || !prefix.IsValid() {
			continue
		}
		other, known := first[prefix]
		if !known {
			first[prefix] = h
			continue
		}
		if cluster[other.Pos.File] != whose && !reported[prefix] {
			reported[prefix] = true
			c.stop("two-clusters", h.Pos, "%s has machines of cluster %s here, and of cluster %s at %s", prefix, whose, cluster[other.Pos.File], other.Pos)
		}
	}
}
