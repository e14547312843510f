package dhcp4

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// datagram is one UDP datagram of a capture; frame counts from 1 as packet analysers do.
type datagram struct {
	frame                  int
	sourcePort, targetPort uint16
	payload                []byte
}

const captures = "../../test/testdata/pcap"

func captureFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(captures, "*.pcap"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures in %s: %v", captures, err)
	}
	return files
}

// readCapture reads the UDP datagrams of a little-endian pcap file of Ethernet or Linux cooked (version 2) frames.
func readCapture(t testing.TB, file string) (list []datagram) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	if len(b) < 24 || le.Uint32(b) != 0xa1b2c3d4 {
		t.Fatalf("%s is not a little-endian pcap file", file)
	}
	linkHeader := map[uint32]int{1: 14, 276: 20}[le.Uint32(b[20:])]
	if linkHeader == 0 {
		t.Fatalf("%s: unknown link type %d", file, le.Uint32(b[20:]))
	}
	b = b[24:]
	for frame := 1; len(b) >= 16; frame++ {
		n := int(le.Uint32(b[8:]))
		packet := b[16 : 16+n]
		b = b[16+n:]
		if d, ok := udp(packet[linkHeader:]); ok {
			d.frame = frame
			list = append(list, d)
		}
	}
	return list
}

func udp(ip []byte) (datagram, bool) {
	if len(ip) < 28 || ip[0]>>4 != 4 || ip[9] != 17 {
		return datagram{}, false
	}
	segment := ip[int(ip[0]&15)*4 : binary.BigEndian.Uint16(ip[2:])]
	return datagram{sourcePort: binary.BigEndian.Uint16(segment), targetPort: binary.BigEndian.Uint16(segment[2:]), payload: segment[8:]}, true
}

// requests returns the datagrams to the server's port, in order.
func requests(t testing.TB, file string) (list []datagram) {
	t.Helper()
	for _, d := range readCapture(t, file) {
		if d.targetPort == ServerPort && d.payload[0] == opRequest {
			list = append(list, d)
		}
	}
	if len(list) == 0 {
		t.Fatalf("%s holds no requests", file)
	}
	return list
}
