package reservation

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"sync"
)

// Pool lets reservations share what is equal in them. It remembers as many Settings as networks are likely to make, and
// begins anew when there are more: then equal ones may stand in memory more than once, and nothing else is different. Its
// methods may be called by several goroutines.
type Pool struct {
	mu       sync.Mutex
	settings map[string]*Settings
	names    map[string]string
	size     int // of what is remembered, in bytes
	key      []byte
}

// poolSize is how many bytes a Pool remembers, and settingsSize what Settings take besides their text.
const (
	poolSize     = 4 << 20
	settingsSize = 512
)

// NewPool returns a pool that has seen nothing.
func NewPool() *Pool { return &Pool{settings: map[string]*Settings{}, names: map[string]string{}} }

// Share makes r, which nobody else has seen yet, use what equal reservations use. It keeps r's Settings.
func (p *Pool) Share(r *Reservation) {
	// As a rule a machine's name is its object's: one text is enough for both.
	if name := r.Source.Name; strings.HasSuffix(name, r.Hostname) {
		r.Hostname = name[len(name)-len(r.Hostname):]
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r.Source.Namespace = p.name(r.Source.Namespace)
	p.key = r.Settings.appendTo(p.key[:0])
	known, found := p.settings[string(p.key)]
	if !found {
		p.grow(settingsSize + 2*len(p.key))
		known = r.Settings
		p.settings[string(p.key)] = known
	}
	r.Settings = known
}

func (p *Pool) name(s string) string {
	known, found := p.names[s]
	if !found {
		p.grow(2 * len(s))
		known = strings.Clone(s)
		p.names[known] = known
	}
	return known
}

// grow makes room for so many bytes.
func (p *Pool) grow(bytes int) {
	if p.size += bytes; p.size > poolSize {
		p.settings, p.names, p.size = map[string]*Settings{}, map[string]string{}, bytes
	}
}

// appendTo appends bytes to b that are the same for equal settings only.
func (s *Settings) appendTo(b []byte) []byte {
	b = appendAddrs(b, s.Gateway)
	b = appendStrings(b, s.DomainName, s.Arch)
	b = appendAddrs(b, s.NameServers...)
	b = appendAddrs(b, s.TimeServers...)
	b = binary.BigEndian.AppendUint32(b, s.Lease)
	b = binary.BigEndian.AppendUint16(b, s.VLAN)
	b = binary.AppendUvarint(b, uint64(len(s.Routes)))
	for _, r := range s.Routes {
		b = appendAddrs(b, r.Destination.Addr(), r.Router)
		b = append(b, uint8(r.Destination.Bits()))
	}
	b = binary.AppendUvarint(b, uint64(len(s.Options)))
	for _, o := range s.Options {
		b = appendStrings(append(b, o.Code), string(o.Value))
	}
	n := &s.Netboot
	b = appendBools(b, s.UEFI, n.Allow, n.Withheld)
	b = appendStrings(b, n.TFTPServerName, n.BootFileName, n.IPXEBinary, n.IPXEURL, n.IPXEContents, n.Facility)
	b = appendStrings(b, n.OSIE.BaseURL, n.OSIE.Kernel, n.OSIE.Initrd)
	return appendStrings(b, n.OSIE.KernelParams...)
}

func appendStrings(b []byte, list ...string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}

func appendAddrs(b []byte, list ...netip.Addr) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, a := range list {
		wide := a.As16()
		b = append(append(b, uint8(a.BitLen()/8)), wide[:]...)
	}
	return b
}

func appendBools(b []byte, list ...bool) []byte {
	for _, v := range list {
		if v {
			b = append(b, 1)
			continue
		}
		b = append(b, 0)
	}
	return b
}
