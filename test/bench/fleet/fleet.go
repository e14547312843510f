package fleet

import (
	"encoding/binary"
	"net/netip"

	"github.com/tugboot/tugboot/internal/reservation"
)

// Limit is the number of machines that have an address in the network.
const Limit = 2_000_000

// Interfaces and MACs of the cable between server and client.
const (
	ServerInterface = "v0"
	ClientInterface = "v1"
	ServerMAC       = "02:00:00:00:00:01"
	ClientMAC       = "02:00:00:00:00:02"
)

// BootFile is what a machine's firmware is told to fetch by TFTP.
const BootFile = "ipxe.efi"

// Where things are.
var (
	Server  = netip.AddrFrom4([4]byte{10, 64, 0, 1})
	Client  = netip.AddrFrom4([4]byte{10, 64, 0, 2})
	Network = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 64, 0, 0}), 10)
	// Own are the machines' addresses that the client's host has: machines before Hosted can speak for themselves.
	Own  = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 64, 16, 0}), 20)
	Mask = netip.AddrFrom4([4]byte{255, 192, 0, 0})
)

// Hosted is how many machines can speak for themselves, from their own address.
const Hosted = 4096

const (
	first = 10<<24 | 64<<16 | 16<<8 // the address of machine 0
	moved = 10<<24 | 127<<16 | 7    // the address that machine 0 is moved to
	// spread is odd, so that multiplying by it is a permutation of the 32-bit numbers; neighbours get MACs far apart.
	spread = 0x9e3779b1
)

// Machine is one machine of the fleet, by its number from 0.
type Machine uint32

// MAC is 02:54 and four bytes that differ for every machine, in no order. The stub server knows how to turn them back.
func (m Machine) MAC() reservation.MAC {
	mac := reservation.MAC{0x02, 0x54}
	binary.BigEndian.PutUint32(mac[2:], uint32(m)*spread)
	return mac
}

// Address is the address that is reserved for the machine.
func (m Machine) Address() netip.Addr { return address(first + uint32(m)) }

// Moved is the address of machine 0 after its reservation was changed.
func Moved() netip.Addr { return address(moved) }

func address(v uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], v)
	return netip.AddrFrom4(b)
}
