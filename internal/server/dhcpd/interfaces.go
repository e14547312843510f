package dhcpd

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/tugboot/tugboot/internal/dhcp4"
)

// refreshPause is the shortest time between two looks at the interfaces that unknown indexes cause.
const refreshPause = time.Second

// iface is what an answer needs to know of an interface.
type iface struct {
	index    int
	name     string
	ethernet bool // frames are addressed by MAC
	prefixes []netip.Prefix
}

// onLink reports whether a is reached without a router.
func (i iface) onLink(a netip.Addr) bool {
	return slices.ContainsFunc(i.prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// table is an immutable list of the host's interfaces and addresses.
type table struct {
	byIndex          map[int]iface
	local, broadcast map[netip.Addr]bool
	kinds            func(netip.Addr) dhcp4.AddrKind // the method kind; nil where the host has no addresses
}

// interfaces keeps a table up to date: asking the kernel costs more than answering a packet.
type interfaces struct {
	log     logr.Logger
	kernel  *netlink.Handle
	changes *nl.NetlinkSocket
	closed  chan struct{}

	current atomic.Pointer[table]
	mu      sync.Mutex // held while looking
	looked  time.Time
}

func openInterfaces(log logr.Logger) (*interfaces, error) {
	i := &interfaces{log: log, closed: make(chan struct{})}
	var err error
	if i.kernel, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
		return nil, err
	}
	if i.changes, err = nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR); err != nil {
		i.kernel.Close()
		return nil, err
	}
	if err := i.refresh(); err != nil {
		i.close()
		return nil, err
	}
	return i, nil
}

func (i *interfaces) close() {
	close(i.closed)
	i.changes.Close()
	i.mu.Lock() // somebody may be looking
	defer i.mu.Unlock()
	i.kernel.Close()
}

func (i *interfaces) isClosed() bool {
	select {
	case <-i.closed:
		return true
	default:
		return false
	}
}

// watch looks again whenever the kernel says that something changed, and calls changed, until close. Which message it was does
// not matter, nor whether some were lost.
func (i *interfaces) watch(changed func()) {
	for {
		_, _, err := i.changes.Receive()
		if i.isClosed() {
			return
		}
		if err != nil && !errors.Is(err, unix.ENOBUFS) {
			i.log.Error(err, "watch the network interfaces; looking again", "pause", refreshPause.String())
			time.Sleep(refreshPause)
		}
		if err := i.refresh(); err != nil {
			i.log.Error(err, "list the network interfaces; the list of before stays in force")
			continue
		}
		changed()
	}
}

func (i *interfaces) refresh() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.isClosed() {
		return nil
	}
	i.looked = time.Now()
	links, err := settled(i.kernel.LinkList)
	if err != nil {
		return err
	}
	addrs, err := settled(func() ([]netlink.Addr, error) { return i.kernel.AddrList(nil, netlink.FAMILY_V4) })
	if err != nil {
		return err
	}
	i.current.Store(newTable(links, addrs))
	return nil
}

// settled asks the kernel for a list again when the list changed while it was read.
func settled[T any](list func() ([]T, error)) (found []T, err error) {
	for range 5 {
		if found, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return found, err
}

func newTable(links []netlink.Link, addrs []netlink.Addr) *table {
	t := &table{byIndex: make(map[int]iface, len(links)), local: make(map[netip.Addr]bool, len(addrs)), broadcast: map[netip.Addr]bool{}}
	t.kinds = t.kind
	for _, link := range links {
		a := link.Attrs()
		t.byIndex[a.Index] = iface{index: a.Index, name: a.Name, ethernet: a.EncapType == "ether"}
	}
	for _, a := range addrs {
		addr, ok := netip.AddrFromSlice(a.IP.To4())
		if !ok {
			continue // not IPv4, which is all that was asked for
		}
		ones, _ := a.Mask.Size() // the second result is the 32 of every IPv4 mask
		t.local[addr] = true
		prefix := netip.PrefixFrom(addr, ones)
		if all := broadcastOf(prefix); all.IsValid() {
			t.broadcast[all] = true
		}
		entry := t.byIndex[a.LinkIndex]
		entry.prefixes = append(entry.prefixes, prefix)
		t.byIndex[a.LinkIndex] = entry
	}
	return t
}

// byIndex returns an interface. One that is not in the list makes it look again, at most once a second; one that does
// not exist is returned with its index for a name.
func (i *interfaces) byIndex(index int) iface {
	if found, ok := i.current.Load().byIndex[index]; ok {
		return found
	}
	i.mu.Lock()
	recent := time.Since(i.looked) < refreshPause
	i.mu.Unlock()
	if !recent {
		if err := i.refresh(); err != nil {
			i.log.Error(err, "list the network interfaces; the list of before stays in force")
		}
		if found, ok := i.current.Load().byIndex[index]; ok {
			return found
		}
	}
	return iface{index: index, name: fmt.Sprintf("interface %d", index)}
}

// source returns the first of wanted that is an address of this host, else the interface's own address, else the zero
// Addr.
func (i *interfaces) source(in iface, wanted ...netip.Addr) netip.Addr {
	local := i.current.Load().local
	for _, a := range wanted {
		if local[a] {
			return a
		}
	}
	if len(in.prefixes) > 0 {
		return in.prefixes[0].Addr()
	}
	return netip.Addr{}
}

// named returns the index of the interface of that name, 0 where there is none.
func (i *interfaces) named(name string) int {
	for index, entry := range i.current.Load().byIndex {
		if entry.name == name {
			return index
		}
	}
	return 0
}

// check reports an interface name that does not exist; "" stands for all interfaces.
func (i *interfaces) check(name string) error {
	if name == "" {
		return nil
	}
	var names []string
	for entry := range maps.Values(i.current.Load().byIndex) {
		if entry.name == name {
			return nil
		}
		names = append(names, entry.name)
	}
	slices.Sort(names)
	return fmt.Errorf("DHCP: interface %q does not exist: choose from %s", name, strings.Join(names, ", "))
}
