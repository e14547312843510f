package dhcp4

import "testing"

// BenchmarkAnswer is the whole way from bytes to bytes for a PXE DISCOVER.
func BenchmarkAnswer(b *testing.B) {
	packet := from(join(pxe(TypeDiscover), opt(55, 1, 3, 6, 12, 15, 28, 43, 60, 66, 67), opt(57, 5, 0xc0))...).bytes()
	lookup := only(testReservation())
	b.ReportAllocs()
	for b.Loop() {
		q, err := Parse(packet)
		if err != nil {
			b.Fatal(err)
		}
		if o := Answer(q, lookup, testSelf); o.Verdict != Offer {
			b.Fatal(o.Reason)
		}
	}
}
