package fleet

import (
	"net/netip"
	"testing"

	"github.com/tugboot/tugboot/internal/reservation"
)

func TestEveryMachineIsItsOwn(t *testing.T) {
	macs := make(map[reservation.MAC]Machine, Limit)
	for m := range Machine(Limit) {
		mac, a := m.MAC(), m.Address()
		if other, taken := macs[mac]; taken {
			t.Fatalf("machines %d and %d share the MAC %v", other, m, mac)
		}
		macs[mac] = m
		if !Network.Contains(a) || a == Moved() || a == Server || a == Client {
			t.Fatalf("machine %d has the address %v, which is not its own or not in %v", m, a, Network)
		}
	}
	for m := range Machine(Hosted + 1) {
		if Own.Contains(m.Address()) != (m < Hosted) {
			t.Fatalf("machine %d has the address %v, and %v are the client's", m, m.Address(), Own)
		}
	}
	if a, b := Machine(0).Address(), Machine(Limit-1).Address(); a != netip.MustParseAddr("10.64.16.0") || b.Compare(a) <= 0 {
		t.Errorf("addresses run from %v to %v", a, b)
	}
	if !Network.Contains(Moved()) || !Network.Contains(Server) || !Network.Contains(Client) {
		t.Error("server, client and the moved machine are not all in the network")
	}
}
