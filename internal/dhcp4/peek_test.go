package dhcp4

import "testing"

func TestSenderIsWhatParseReads(t *testing.T) {
	packet := from(optType(TypeDiscover)).bytes()
	q, err := Parse(packet)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(packet) + 1 {
		mac, ok := Sender(packet[:n])
		if ok != (n >= 34) || ok && mac != q.MAC {
			t.Errorf("%d bytes: %v, %v", n, mac, ok)
		}
	}
}
