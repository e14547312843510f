package dhcp4

import "github.com/tugboot/tugboot/internal/reservation"

// Sender returns the hardware address (chaddr) that a packet names, without looking at anything else in it: enough to tell
// senders apart before a packet is parsed. It returns false for a packet that ends before.
func Sender(packet []byte) (reservation.MAC, bool) {
	const at, end = 28, 34
	if len(packet) < end {
		return reservation.MAC{}, false
	}
	return reservation.MAC(packet[at:end]), true
}
